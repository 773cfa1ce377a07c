"""Feedback on predictions: counts for accuracy, and makes the photo a training image."""

import logging
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.catalog import repository as images
from api.catalog.photo_files import StagedPhoto
from api.catalog.service import Origin, PhotographStore, Stored
from api.core import telemetry
from api.core.errors import UnprocessableError
from api.core.imaging.decode import UNREADABLE
from api.core.labels import accepted_class_name
from api.predictions import dismissal, feedback_repository
from api.predictions.history import (
    OTHER_PROCESS_SECONDS,
    PhotographGoneError,
    find_recorded,
    load_image,
)
from api.predictions.recorder import Recorder
from api.storage.db import OpenTransaction
from api.storage.tables.photos import ImageRow
from api.storage.tables.predictions import FeedbackRow, PredictionRow

log = logging.getLogger(__name__)
# What happened to the photo; FeedbackAnswer says what each means.
PhotoOutcome = Literal["stored", "relabelled", "known", "contradicts", "not-kept"]
# Feedback relabels only training images that come from feedback.
FEEDBACK_ORIGINS = ("feedback", "review")


class UnclearFeedbackError(UnprocessableError):
    code = "unclear-feedback"
    detail = (
        'Send either the right class, {"label": "freshapples"}, or {"correct": true} if the '
        "prediction was right."
    )


class FeedbackAnswer(BaseModel):
    """Effect of the feedback."""

    prediction_id: str
    label: str = Field(description="Normalized name of the correct class.")
    correct: bool = Field(description="Whether the prediction was correct.")
    photograph: PhotoOutcome = Field(
        description="What happened to the photo. stored: it was added as a training image; "
        "relabelled: its training image got the new class; known: it already was a training image "
        "of this class; contradicts: it already was a training image of another class, which was "
        "left unchanged; not-kept: the photo is no longer kept."
    )
    image_id: str | None = Field(
        description="ID of the training image with this label; null if there is none."
    )
    message: str = Field(description="What happened, in English, for the user.")


@dataclass(frozen=True)
class FeedbackService:
    """Stores feedback on predictions. For one request."""

    store: PhotographStore
    recorder: Recorder

    def submit(
        self,
        prediction_id: str,
        label: str | None,
        origin: Origin,
        timeout: float = OTHER_PROCESS_SECONDS,
    ) -> FeedbackAnswer:
        """Store feedback, replacing earlier feedback. Without a label it confirms the prediction.

        Waits up to `timeout` seconds for the prediction to be recorded. Raises
        PredictionNotFoundError or BadClassNameError, and then changes nothing.
        """
        prediction = find_recorded(self.store.database, self.recorder, prediction_id, timeout)
        predicted = accepted_class_name(prediction.predicted_class)
        class_name = predicted if label is None else accepted_class_name(label)
        correct = class_name == predicted
        staged = self._stage_photo(prediction)
        # One transaction, under the lock of the images: the label and the class of the training
        # image change together, and in between nobody relabels or removes the image.
        with self.store.database.session() as session:
            images.lock_images(session)
            # Feedback overrides an earlier dismissal.
            dismissal.take_back(session, prediction_id)
            outcome, image_id, message = self._add_training_image(
                session, prediction, class_name, origin, staged
            )
            feedback_repository.put(
                session,
                prediction_id,
                class_name,
                correct,
                image_id,
                asked=origin == "review" and bool(prediction.sampled),
            )
            if outcome == "relabelled" and image_id is not None:
                images.relabel(session, [image_id], class_name)
        telemetry.FEEDBACK.labels("yes" if correct else "no").inc()
        return FeedbackAnswer(
            prediction_id=prediction_id,
            label=class_name,
            correct=correct,
            photograph=outcome,
            image_id=image_id,
            message=message,
        )

    def _stage_photo(self, prediction: PredictionRow) -> StagedPhoto | None:
        """The photo, stored as a training image's file before the transaction: a bucket may take
        minutes. None if it is not needed, or is gone.
        """
        with self.store.database.reading() as session:
            feedback = session.get(FeedbackRow, prediction.id)
            if feedback is not None and _is_from_feedback(session, feedback.image_id):
                return None
        try:
            return self.store.stage(load_image(self.store.blobs, prediction))
        except (PhotographGoneError, *UNREADABLE):  # Reported in the transaction.
            return None

    def _add_training_image(
        self,
        session: Session,
        prediction: PredictionRow,
        label: str,
        origin: Origin,
        staged: StagedPhoto | None,
    ) -> tuple[PhotoOutcome, str | None, str]:
        """The outcome, the training image's ID, and a message for the user.

        `staged`: from `_stage_photo`.
        """
        feedback = session.get(FeedbackRow, prediction.id)
        if feedback is not None and _is_from_feedback(session, feedback.image_id):
            return _relabelled(str(feedback.image_id), label)
        store = replace(self.store, database=OpenTransaction(self.store.database, session))
        try:
            outcome = store.add(
                staged.data if staged else load_image(self.store.blobs, prediction),
                class_name=label,
                origin=origin,
                filename=prediction.filename,
                photo_id=staged.photo_id if staged else None,
            )
        except (PhotographGoneError, *UNREADABLE) as error:  # Deleted, or damaged on disk.
            if not isinstance(error, PhotographGoneError):
                log.warning("The photo of prediction %s is damaged: %s", prediction.id, error)
            return (
                "not-kept",
                None,
                "Noted, it counts for the accuracy. The photo is no longer kept, so there is "
                "nothing to learn from.",
            )
        if isinstance(outcome, Stored):
            return (
                "stored",
                outcome.image.id,
                f"Noted: the photo is a training image of {label}.",
            )
        if outcome.class_name == label:
            return "known", outcome.image_id, f"Noted. {outcome.message}"
        if outcome.kind == "exact" and _is_from_feedback(session, outcome.image_id):
            return _relabelled(str(outcome.image_id), label)
        return "contradicts", None, f"Noted, it counts for the accuracy. {outcome.message}"


def _is_from_feedback(session: Session, image_id: str | None) -> bool:
    image = session.get(ImageRow, image_id) if image_id else None
    return image is not None and image.origin in FEEDBACK_ORIGINS


def _relabelled(image_id: str, label: str) -> tuple[PhotoOutcome, str, str]:
    return "relabelled", image_id, f"Noted: the training image is of {label} now."
