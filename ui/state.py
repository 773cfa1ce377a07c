"""The state of a browser session, with the keys of all its widgets and values in one place."""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st
from api_models import BoxesAnswer, FeedbackAnswer, Prediction
from corrections import BoxChanges, Step
from errors import ApiError
from photos import Photo
from transfer.background_upload import BackgroundUpload
from transfer.grading import Graded
from transfer.training_upload import FileOutcome
from transfer.trial import VersionTrial

UPLOAD = "upload"
CAMERA = "camera"
SOURCE = "photo_source"
MODE = "retrain_mode"
DETECTOR = "retrain_detector"
RETRAIN_TAB = "retrain_tab"
NEW_BY_CLASS = "new_by_class"
CARRY_OVER = "carry_over"
HOURS = "monitoring_hours"
HEAT_MAP = "heat_map"
WHOLE_PHOTO = "whole_photo"
ALL_FRUITS = "all_fruits"
RIGHT_CLASS = "right_class"
MISSED_CLASS = "missed_class"
HOW_TO_DRAW = "how_to_draw"
COMPLETE = "all_have_a_box"
# The area of errors about saving corrections.
BOXES_AREA = "boxes"
# Stands for a fruit that was missed.
MISSED = 0
BATCH_SHOWN = "batch_shown"
SECTION = "training_section"
UPLOAD_KIND = "upload_kind"
FOLDERS = "upload_folders"
UPLOAD_CLASS = "upload_class"
UPLOAD_SHOWN = "upload_shown"
GALLERY_CLASS = "gallery_class"
GALLERY_SPLIT = "gallery_split"
GALLERY_ORIGIN = "gallery_origin"
NEW_CLASS = "new_class"
BOXED_PAGE = "boxed_page"
BOXED_COMPLETE = "boxed_complete"
BOXED_CLASS = "boxed_class"
BOXED_ADD = "boxed_add"
REMOVED_CHOSEN = "removed_chosen"
INSIGHT = "insight"
APPEARANCE = "appearance"
AUGMENTED = "augmented"
AUGMENTED_PHOTO = "augmented_photo"
SEED = "seed"
ONLY_WITH_PHOTO = "only_with_photo"
REPORTED = "reported_version"
REPORT_PART = "report_part"
LINE_FRUIT = "line_fruit"
LINE = "line_kind"
COMPARED = "compared_version"
ONLY_DIFFERENT = "only_different"
_PHOTO = "photo"
_OUTCOME = "outcome"
_FEEDBACK = "feedback_answer"
_STEPS = "corrections"
_BOXES = "boxes_answer"
_OPENED = "opened_fruit"
_BATCH = "batch"
_BATCH_ID = "batch_id"
_SHOWN = "shown_prediction"
_DISMISSED = "dismissed"
_CHANGING = "changing_answer"
_TRIAL = "trial"
_TRAINING_UPLOAD = "training_upload"
_BOX_CHANGES = "box_changes"
_UNDO = "undo_of"
_SUGGESTION_ANSWERED = "suggestion_answered"


class Undo(NamedTuple):
    """A person's last action in words; `take_back`, if there is one, undoes it and says so."""

    message: str
    take_back: Callable[[], str] | None


def take_photo(widget: str) -> None:
    """Take the photo from `widget`, and drop the outcome of the previous photo."""
    file = st.session_state[widget]
    grade_photo(None if file is None else Photo(file.name, file.getvalue()))


def grade_photo(photo: Photo | None) -> None:
    """Make it the current photo; None for no photo."""
    st.session_state[_PHOTO] = photo
    st.session_state[_OUTCOME] = None
    keep_feedback(None)
    keep_dismissed(None)
    show_whole_photo(False)
    forget_corrections()


def photo() -> Photo | None:
    """The current photo. It stays while the person visits other pages."""
    photo: Photo | None = st.session_state.get(_PHOTO)
    return photo


def outcome() -> Prediction | ApiError | None:
    """The outcome of the current photo, or None if it has not been sent yet."""
    outcome: Prediction | ApiError | None = st.session_state.get(_OUTCOME)
    return outcome


def keep_outcome(outcome: Prediction | ApiError) -> None:
    """Keep the current photo's outcome, so that reruns do not send it again."""
    st.session_state[_OUTCOME] = outcome


def look_at(prediction_id: str = "") -> None:
    """From now on, corrections and answers are about this prediction of the history, or, if empty,
    about the current photo of the Predict page."""
    if st.session_state.get(_SHOWN, "") != prediction_id:
        st.session_state[_SHOWN] = prediction_id
        st.session_state[COMPLETE] = False
        open_fruit(None)


def of_shown(key: str) -> str:
    """The key of a value that is kept separately for each prediction."""
    shown = st.session_state.get(_SHOWN, "")
    return f"{key}_{shown}" if shown else key


def show_whole_photo(wanted: bool) -> None:
    """Whether to show the grade of the whole photo, although it shows several fruits."""
    st.session_state[of_shown(WHOLE_PHOTO)] = wanted


def shows_whole_photo() -> bool:
    return bool(st.session_state.get(of_shown(WHOLE_PHOTO)))


def feedback() -> FeedbackAnswer | None:
    """The API's answer to the feedback on the current prediction."""
    answer: FeedbackAnswer | None = st.session_state.get(of_shown(_FEEDBACK))
    return answer


def keep_feedback(answer: FeedbackAnswer | None) -> None:
    st.session_state[of_shown(_FEEDBACK)] = answer


def change_feedback() -> None:
    """Ask again about the current prediction."""
    keep_feedback(None)
    st.session_state[of_shown(_CHANGING)] = True


def is_changing() -> bool:
    """Whether the person wants to change an earlier answer."""
    return bool(st.session_state.get(of_shown(_CHANGING)))


def dismissed() -> bool | None:
    """True if the person has just dismissed the current prediction, False if taken that back."""
    value: bool | None = st.session_state.get(of_shown(_DISMISSED))
    return value


def keep_dismissed(value: bool | None) -> None:
    st.session_state[of_shown(_DISMISSED)] = value


def corrections() -> list[Step]:
    """What the person has said about the fruits of the current photo, in order."""
    steps: list[Step] = st.session_state.get(of_shown(_STEPS), [])
    return steps


def keep_corrections(steps: list[Step]) -> None:
    """Keep the steps, which are not saved yet, and close the fruit that they are about."""
    st.session_state[of_shown(_STEPS)] = steps
    keep_boxes_answer(None)
    open_fruit(None)


def forget_corrections() -> None:
    keep_corrections([])
    st.session_state[COMPLETE] = False
    keep_action_error(BOXES_AREA, None)


def boxes_answer() -> BoxesAnswer | None:
    """The API's answer to the saved corrections of the current photo."""
    answer: BoxesAnswer | None = st.session_state.get(of_shown(_BOXES))
    return answer


def keep_boxes_answer(answer: BoxesAnswer | None) -> None:
    st.session_state[of_shown(_BOXES)] = answer


def opened_fruit() -> int | None:
    """The number of the fruit that is open, or MISSED."""
    number: int | None = st.session_state.get(_OPENED)
    return number


def open_fruit(number: int | None = None) -> None:
    """Open a fruit of the photo; None closes it."""
    st.session_state[_OPENED] = number


def batch() -> BackgroundUpload[Graded] | None:
    """The batch that is being graded, or the last one."""
    upload: BackgroundUpload[Graded] | None = st.session_state.get(_BATCH)
    return upload


def batch_id() -> str | None:
    """The batch's id, from the URL so that it survives a reload, or the one from before a visit to
    another page."""
    name: str | None = st.query_params.get(_BATCH) or st.session_state.get(_BATCH_ID)
    if name:
        st.session_state[_BATCH_ID] = st.query_params[_BATCH] = name
    return name


def keep_batch(upload: BackgroundUpload[Graded] | None, batch_id: str | None = None) -> None:
    """Keep the batch, also while the person visits other pages."""
    st.session_state[_BATCH] = upload
    st.session_state[_BATCH_ID] = batch_id
    if batch_id:
        st.query_params[_BATCH] = batch_id
    else:
        st.query_params.pop(_BATCH, None)


def trial() -> VersionTrial | None:
    """The current or last trial of two versions on the same photos."""
    trial: VersionTrial | None = st.session_state.get(_TRIAL)
    return trial


def keep_trial(trial: VersionTrial | None) -> None:
    """Keep the trial, also while the person visits other pages."""
    st.session_state[_TRIAL] = trial


def training_upload() -> BackgroundUpload[FileOutcome] | None:
    """The current or last upload of training photos."""
    upload: BackgroundUpload[FileOutcome] | None = st.session_state.get(_TRAINING_UPLOAD)
    return upload


def keep_training_upload(upload: BackgroundUpload[FileOutcome] | None) -> None:
    """Keep the upload, also while the person visits other pages."""
    st.session_state[_TRAINING_UPLOAD] = upload


def box_changes() -> BoxChanges | None:
    """The open photo's boxes with the person's changes."""
    changes: BoxChanges | None = st.session_state.get(_BOX_CHANGES)
    return changes


def keep_box_changes(changes: BoxChanges | None = None) -> None:
    """Keep them until they are saved; None closes the photo."""
    st.session_state[_BOX_CHANGES] = changes


def undo(area: str) -> Undo | None:
    """The person's last action in this `area`, and how to undo it."""
    done: Undo | None = st.session_state.get(f"{_UNDO}_{area}")
    return done


def keep_undo(area: str, done: Undo | None) -> None:
    """Keep it until the next action in the same area."""
    st.session_state[f"{_UNDO}_{area}"] = done


def action_error(area: str) -> ApiError | None:
    """Why the last action in this `area` of a page failed, if it did."""
    error: ApiError | None = st.session_state.get(f"error_{area}")
    return error


def keep_action_error(area: str, error: ApiError | None) -> None:
    """Keep the error until the next action in the same area."""
    st.session_state[f"error_{area}"] = error


def take_success(area: str) -> str | None:
    """The success message of the last action in this `area`; returned only once."""
    message: str | None = st.session_state.pop(f"success_{area}", None)
    return message


def keep_success(area: str, message: str | None) -> None:
    """Keep a success message until the area is next drawn."""
    st.session_state[f"success_{area}"] = message


def take_suggestion_answered() -> bool:
    """Whether a suggested retraining was answered, or its trigger changed, since the last call."""
    answered: bool = st.session_state.pop(_SUGGESTION_ANSWERED, False)
    return answered


def keep_suggestion_answered() -> None:
    """Keep it until the line on every page is next drawn."""
    st.session_state[_SUGGESTION_ANSWERED] = True
