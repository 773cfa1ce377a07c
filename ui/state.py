"""What is kept for one browser session: the keys of its widgets and values, in one place."""

import streamlit as st
from api_models import BoxesAnswer, FeedbackAnswer, Prediction
from corrections import BoxChanges, Step
from errors import ApiError
from photos import Photo
from transfer.background_upload import BackgroundUpload
from transfer.grading import Graded
from transfer.inspection_upload import AddedFile
from transfer.training_upload import FileOutcome
from transfer.trial import VersionTrial

UPLOAD = "upload"
CAMERA = "camera"
SOURCE = "photo_source"
MODE = "retrain_mode"
DETECTOR = "retrain_detector"
RETRAIN_TAB = "retrain_tab"
NEW_BY_CLASS = "new_by_class"
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
INSIGHT = "insight"
APPEARANCE = "appearance"
AUGMENTED = "augmented"
AUGMENTED_PHOTO = "augmented_photo"
SEED = "seed"
ONLY_WITH_PHOTO = "only_with_photo"
REPORTED = "reported_version"
REPORT_PART = "report_part"
COMPARED = "compared_version"
ONLY_DIFFERENT = "only_different"
INSPECTION_SEARCH = "inspection_search"
INSPECTION_DAYS = "inspection_days"
INSPECTION_SOURCE = "inspection_source"
_PHOTO = "photo"
_OUTCOME = "outcome"
_FEEDBACK = "feedback_answer"
_STEPS = "corrections"
_BOXES = "boxes_answer"
_OPENED = "opened_fruit"
_BATCH = "batch"
_TRIAL = "trial"
_TRAINING_UPLOAD = "training_upload"
_BOX_CHANGES = "box_changes"
_INSPECTION = "inspection"
_INSPECTION_UPLOAD = "inspection_upload"
_UPLOAD_SEEN = "inspection_upload_seen"
_OPENED_IN_LOT = "opened_in_lot"


def take_photo(widget: str) -> None:
    """Take the photo from `widget`, and drop the outcome of the photo before it."""
    file = st.session_state[widget]
    st.session_state[_PHOTO] = None if file is None else Photo(file.name, file.getvalue())
    st.session_state[_OUTCOME] = None
    st.session_state[_FEEDBACK] = None
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


def show_whole_photo(wanted: bool) -> None:
    """Whether to show the grade of the whole photo, although it shows several fruits."""
    st.session_state[WHOLE_PHOTO] = wanted


def shows_whole_photo() -> bool:
    return bool(st.session_state.get(WHOLE_PHOTO))


def feedback() -> FeedbackAnswer | None:
    """The answer to the feedback on the current prediction."""
    answer: FeedbackAnswer | None = st.session_state.get(_FEEDBACK)
    return answer


def keep_feedback(answer: FeedbackAnswer | None) -> None:
    st.session_state[_FEEDBACK] = answer


def corrections() -> list[Step]:
    """What the person said about the fruits of the current photo, in order."""
    steps: list[Step] = st.session_state.get(_STEPS, [])
    return steps


def keep_corrections(steps: list[Step]) -> None:
    """Keep the steps, which are not saved yet, and close the fruit that they are about."""
    st.session_state[_STEPS] = steps
    keep_boxes_answer(None)
    open_fruit(None)


def forget_corrections() -> None:
    keep_corrections([])
    st.session_state[COMPLETE] = False
    keep_action_error(BOXES_AREA, None)


def boxes_answer() -> BoxesAnswer | None:
    """The answer to the corrections of the current photo, once they are saved."""
    answer: BoxesAnswer | None = st.session_state.get(_BOXES)
    return answer


def keep_boxes_answer(answer: BoxesAnswer | None) -> None:
    st.session_state[_BOXES] = answer


def opened_fruit() -> int | None:
    """The number of the fruit that is open, or MISSED."""
    number: int | None = st.session_state.get(_OPENED)
    return number


def open_fruit(number: int | None = None) -> None:
    """Open a fruit of the photo; None closes it."""
    st.session_state[_OPENED] = number


def batch() -> BackgroundUpload[Graded] | None:
    """The batch that is being graded, or was graded last."""
    upload: BackgroundUpload[Graded] | None = st.session_state.get(_BATCH)
    return upload


def keep_batch(upload: BackgroundUpload[Graded] | None) -> None:
    """Keep the batch, also while the person visits other pages."""
    st.session_state[_BATCH] = upload


def trial() -> VersionTrial | None:
    """Two versions on the same photos: the trial that is running, or was last."""
    trial: VersionTrial | None = st.session_state.get(_TRIAL)
    return trial


def keep_trial(trial: VersionTrial | None) -> None:
    """Keep the trial, also while the person visits other pages."""
    st.session_state[_TRIAL] = trial


def training_upload() -> BackgroundUpload[FileOutcome] | None:
    """The upload of training photos that is running, or was last."""
    upload: BackgroundUpload[FileOutcome] | None = st.session_state.get(_TRAINING_UPLOAD)
    return upload


def keep_training_upload(upload: BackgroundUpload[FileOutcome] | None) -> None:
    """Keep the upload, also while the person visits other pages."""
    st.session_state[_TRAINING_UPLOAD] = upload


def box_changes() -> BoxChanges | None:
    """The boxes of the photo that is open, as the person has changed them."""
    changes: BoxChanges | None = st.session_state.get(_BOX_CHANGES)
    return changes


def keep_box_changes(changes: BoxChanges | None = None) -> None:
    """Keep them until they are saved; None closes the photo."""
    st.session_state[_BOX_CHANGES] = changes


def inspection_id() -> str | None:
    """The inspection that is open: by the address, so that it stays after a reload, or as it was
    left for another page."""
    opened: str | None = st.query_params.get(_INSPECTION) or st.session_state.get(_INSPECTION)
    if opened:
        st.session_state[_INSPECTION] = st.query_params[_INSPECTION] = opened
    return opened


def open_inspection(inspection_id: str | None = None) -> None:
    """Open an inspection; None goes back to all of them."""
    st.session_state[_INSPECTION] = inspection_id
    keep_inspection_upload(None)
    open_in_lot(None)
    if inspection_id:
        st.query_params[_INSPECTION] = inspection_id
    else:
        st.query_params.pop(_INSPECTION, None)


def inspection_upload() -> BackgroundUpload[AddedFile] | None:
    """The photos that are being added to the open inspection, or were last."""
    upload: BackgroundUpload[AddedFile] | None = st.session_state.get(_INSPECTION_UPLOAD)
    return upload


def keep_inspection_upload(upload: BackgroundUpload[AddedFile] | None) -> None:
    """Keep the upload, also while the person visits other pages."""
    st.session_state[_INSPECTION_UPLOAD] = upload


def has_new_photos() -> bool:
    """Whether an upload to the inspection has ended since this was asked last."""
    upload = inspection_upload()
    is_new = upload is not None and upload.finished
    is_new = is_new and st.session_state.get(_UPLOAD_SEEN) is not upload
    if is_new:
        st.session_state[_UPLOAD_SEEN] = upload
    return is_new


def opened_in_lot() -> tuple[str, int] | None:
    """The photo of the inspection that is open, by its id, and its fruit; 0 for all of it."""
    opened: tuple[str, int] | None = st.session_state.get(_OPENED_IN_LOT)
    return opened


def open_in_lot(photo_id: str | None = None, number: int = 0) -> None:
    """Open a fruit of a photo, or all of it; without a photo, close it."""
    st.session_state[_OPENED_IN_LOT] = (photo_id, number) if photo_id else None


def action_error(area: str) -> ApiError | None:
    """Why the last action in this `area` of a page failed, if it did."""
    error: ApiError | None = st.session_state.get(f"error_{area}")
    return error


def keep_action_error(area: str, error: ApiError | None) -> None:
    """Keep the error until the next action in the same area."""
    st.session_state[f"error_{area}"] = error


def take_success(area: str) -> str | None:
    """The success message of the last action in this `area`, once."""
    message: str | None = st.session_state.pop(f"success_{area}", None)
    return message


def keep_success(area: str, message: str | None) -> None:
    """Keep a success message for the next time that the area is drawn."""
    st.session_state[f"success_{area}"] = message
