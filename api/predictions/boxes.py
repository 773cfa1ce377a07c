"""A person's boxes for the photo of a prediction: it becomes a boxed photo."""

import logging
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from api.catalog import boxed_photos, boxed_repository
from api.catalog import repository as images
from api.catalog.box_schemas import MarkedFruit, marked
from api.catalog.boxed_photos import Annotation, BoxedPhotoStore
from api.catalog.boxed_repository import BoxedPhoto
from api.catalog.photo_files import StagedPhoto
from api.core.errors import ConflictError
from api.core.formatting import number
from api.core.imaging.decode import UNREADABLE
from api.predictions.history import PhotographGoneError, find_recorded, load_image
from api.predictions.recorder import Recorder
from api.storage.tables.predictions import PredictionRow

log = logging.getLogger(__name__)
BoxesOutcome = Literal["stored", "replaced", "known"]


class PhotographNotKeptError(ConflictError):
    code = "not-kept"
    detail = (
        "The photo of this prediction is no longer kept, so no boxes can be drawn on it. Grade the "
        "photo again, then draw them."
    )


class BoxesAnswer(BaseModel):
    """The boxed photo made from a prediction; its boxes are in pixels of the stored photo."""

    prediction_id: str
    id: str = Field(description="ID of the boxed photo.")
    width: int = Field(description="Width of the stored photo, in pixels.")
    height: int = Field(description="Height of the stored photo, in pixels.")
    complete: bool = Field(description="Whether every fruit in the photo has a box.")
    boxes: list[MarkedFruit] = Field(description="All boxes that the photo has now.")
    photograph: BoxesOutcome = Field(
        description="What happened to the photo. stored: it was added as a boxed photo; replaced: "
        "the boxes of its boxed photo were replaced; known: it was uploaded with boxes before, "
        "which were left unchanged."
    )
    message: str = Field(description="What happened, in English, for the user.")


@dataclass(frozen=True)
class BoxesService:
    """Stores the boxes of predictions. For one request."""

    store: BoxedPhotoStore
    recorder: Recorder

    def put(self, prediction_id: str, annotation: Annotation) -> BoxesAnswer:
        """Store the boxes, replacing earlier ones.

        Raises PredictionNotFoundError, NotRecordedYetError, PhotographNotKeptError and what
        `Annotation.on` raises, and then changes nothing.
        """
        prediction = find_recorded(self.store.database, self.recorder, prediction_id)
        return self.put_recorded(prediction, annotation)

    def stage_photo(self, prediction: PredictionRow) -> StagedPhoto | None:
        """The photo, stored as a boxed photo's file before the transaction: a bucket may take
        minutes. None if it is not needed, or is gone.
        """
        with self.store.database.reading() as session:
            if boxed_repository.of_prediction(session, prediction.id):
                return None
        try:
            return self.store.stage(load_image(self.store.blobs, prediction))
        except (PhotographGoneError, *UNREADABLE):  # `put_recorded` reports it.
            return None

    def put_recorded(
        self, prediction: PredictionRow, annotation: Annotation, staged: StagedPhoto | None = None
    ) -> BoxesAnswer:
        """Like `put`, for a prediction in the catalog. `staged` is from `stage_photo`."""
        prediction_id = prediction.id
        # A boxed photo stays when the prediction's own photo is no longer kept.
        if photo := self._replace(prediction_id, annotation):
            return _answer(prediction_id, "replaced", photo)
        try:
            outcome, photo = self.store.add(
                staged.data if staged else load_image(self.store.blobs, prediction),
                annotation,
                origin="feedback",
                filename=prediction.filename,
                prediction_id=prediction_id,
                photo_id=staged.photo_id if staged else None,
            )
        except (PhotographGoneError, *UNREADABLE) as error:  # Deleted, or damaged on disk.
            if not isinstance(error, PhotographGoneError):
                log.warning("The photo of prediction %s is damaged: %s", prediction.id, error)
            raise PhotographNotKeptError() from error
        return _answer(prediction_id, outcome, photo)

    def _replace(self, prediction_id: str, annotation: Annotation) -> BoxedPhoto | None:
        """The boxed photo of a prediction with other boxes; None if there is none yet."""
        with self.store.database.session() as session:
            images.lock_images(session)
            row = boxed_repository.of_prediction(session, prediction_id)
            return boxed_photos.change(session, row.id, annotation) if row else None


def _answer(prediction_id: str, outcome: BoxesOutcome, photo: BoxedPhoto) -> BoxesAnswer:
    count = number(len(photo.boxes), "fruit")
    learns = _what_is_learned(photo)
    messages: dict[BoxesOutcome, str] = {
        "stored": f"Noted: the photo is kept with {count}; {learns}.",
        "replaced": f"Noted: the photo has {count} now; {learns}.",
        "known": f"This photo was uploaded with boxes of {count}, which were left unchanged. To "
        f"change them: PUT /dataset/boxed-photos/{photo.row.id}/boxes.",
    }
    return BoxesAnswer(
        prediction_id=prediction_id,
        id=photo.row.id,
        width=photo.row.width,
        height=photo.row.height,
        complete=photo.row.complete,
        boxes=marked(photo),
        photograph=outcome,
        message=messages[outcome],
    )


def _what_is_learned(photo: BoxedPhoto) -> str:
    if not photo.boxes:
        return "the next full retraining learns that there is none"
    labelled = sum(class_name is not None for _, class_name in photo.boxes)
    if not labelled:
        return "the next full retraining learns where they are"
    return f"the next retraining learns from {labelled} of them, a full one also their places"
