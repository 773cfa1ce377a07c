"""Everything that is kept for one browser session, under its keys, in one place."""

import streamlit as st
from answers import Prediction
from photos import Photo
from problems import ApiProblem
from resources.predictions import Word
from transfer.giving import Given
from transfer.grading import Graded
from transfer.sending import Sending

UPLOAD = "upload"
CAMERA = "camera"
SOURCE = "photo_source"
MODE = "retrain_mode"
RETRAIN_TAB = "retrain_tab"
NEWS_BY_CLASS = "news_by_class"
HOURS = "monitoring_hours"
HEAT_MAP = "heat_map"
RIGHT_CLASS = "right_class"
BATCH_SHOWN = "batch_shown"
SECTION = "training_section"
HOW_SORTED = "how_sorted"
GIVEN_CLASS = "given_class"
GIVEN_SHOWN = "given_shown"
GALLERY_CLASS = "gallery_class"
GALLERY_SPLIT = "gallery_split"
GALLERY_ORIGIN = "gallery_origin"
NEW_CLASS = "new_class"
INSIGHT = "insight"
LOOK = "look"
AUGMENTED = "augmented"
AUGMENTED_PHOTO = "augmented_photo"
SEED = "seed"
ONLY_PICTURED = "only_pictured"
REPORTED = "reported_version"
REPORT_PART = "report_part"
COMPARED = "compared_version"
_PHOTO = "photo"
_OUTCOME = "outcome"
_WORD = "word"
_BATCH = "batch"
_GIVING = "giving"


def take_photo(widget: str) -> None:
    """Take over what `widget` holds now, and forget the outcome of the photograph before it."""
    file = st.session_state[widget]
    st.session_state[_PHOTO] = None if file is None else Photo(file.name, file.getvalue())
    st.session_state[_OUTCOME] = None
    st.session_state[_WORD] = None


def photo() -> Photo | None:
    """The photograph in hand. It stays while the person visits other pages."""
    found: Photo | None = st.session_state.get(_PHOTO)
    return found


def outcome() -> Prediction | ApiProblem | None:
    """What came of the photograph in hand, or None where it still has to be sent."""
    found: Prediction | ApiProblem | None = st.session_state.get(_OUTCOME)
    return found


def keep_outcome(found: Prediction | ApiProblem) -> None:
    """Keep what came of the photograph in hand, so that reruns do not send it again."""
    st.session_state[_OUTCOME] = found


def word() -> Word | None:
    """What the person said of the prediction in hand, if anything."""
    found: Word | None = st.session_state.get(_WORD)
    return found


def keep_word(found: Word | None) -> None:
    """Keep what the person said of the prediction in hand."""
    st.session_state[_WORD] = found


def batch() -> Sending[Graded] | None:
    """The batch that is being graded, or was."""
    found: Sending[Graded] | None = st.session_state.get(_BATCH)
    return found


def keep_batch(found: Sending[Graded] | None) -> None:
    """Keep the batch, also while the person visits other pages."""
    st.session_state[_BATCH] = found


def giving() -> Sending[Given] | None:
    """The photographs that are on their way into the training data, or were."""
    found: Sending[Given] | None = st.session_state.get(_GIVING)
    return found


def keep_giving(found: Sending[Given] | None) -> None:
    """Keep what is on its way, also while the person visits other pages."""
    st.session_state[_GIVING] = found


def uploader_key(uploader: str) -> str:
    """The key of an uploader that can be emptied."""
    return f"{uploader}_{st.session_state.get(f'{uploader}_emptied', 0)}"


def empty_uploader(uploader: str) -> None:
    """Give the uploader a new key: only so does it forget its files."""
    st.session_state[f"{uploader}_emptied"] = st.session_state.get(f"{uploader}_emptied", 0) + 1


def problem(area: str) -> ApiProblem | None:
    """What stood in the way of the last attempt in this `area` of a page."""
    found: ApiProblem | None = st.session_state.get(f"problem_{area}")
    return found


def keep_problem(area: str, found: ApiProblem | None) -> None:
    """Keep what stood in the way, until the next attempt in the same area."""
    st.session_state[f"problem_{area}"] = found


def done(area: str) -> str | None:
    """What came of the last attempt in this `area` of a page, told once."""
    found: str | None = st.session_state.pop(f"done_{area}", None)
    return found


def keep_done(area: str, words: str | None) -> None:
    """Keep what came of an attempt, for the next time that the area is drawn."""
    st.session_state[f"done_{area}"] = words
