"""Feedback on predictions: it counts for accuracy, and makes a training image. The review queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.catalog import repository as images
from api.catalog.duplicate_index import DuplicateIndex
from api.catalog.service import DuplicateFile, Origin, store_photograph
from api.core import telemetry
from api.core.errors import UnprocessableError
from api.core.imaging.hashing import SIGNATURE_BYTES, near_rows
from api.core.labels import accepted_class_name
from api.predictions import feedback_repository
from api.predictions.history import (
    ELSEWHERE_SECONDS,
    PhotographGoneError,
    find_recorded,
    kept_photograph_of,
)
from api.predictions.recorder import Recorder
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables import FeedbackRow, ImageRow, PredictionRow

# Looked at to fill a page: more where many look alike, but not without end.
PAGE = 500
MOST_LOOKED_AT = 5000
# So many labelled photographs are remembered, so that their copies are not asked for again.
REMEMBERED = 5000
# What became of the photograph: stored; its training image relabelled; known already under this
# class; known under another class, which was left alone; or no longer kept.
Became = Literal["stored", "relabelled", "known", "contradicts", "not-kept"]
OURS = ("feedback", "review")


class UnclearFeedbackError(UnprocessableError):
    code = "unclear-feedback"
    detail = (
        'Send either the right class, {"label": "freshapples"}, or {"correct": true} where the '
        "prediction was right."
    )


def review_queue(session: Session, limit: int) -> list[PredictionRow]:
    """Up to `limit` predictions, best first: unrecognised, then least sure; look-alikes once.

    Only those without feedback whose photograph is kept, and none that looks like one that was
    labelled already.
    """
    seen = _signatures(feedback_repository.labelled_signatures(session, REMEMBERED))
    chosen: list[PredictionRow] = []
    for offset in range(0, MOST_LOOKED_AT, PAGE):
        page = feedback_repository.by_uncertainty(session, offset, PAGE)
        for row in page:
            if row.signature is not None:
                signature = _signatures([row.signature])
                if len(near_rows(signature[0], seen)):
                    continue
                seen = np.concatenate([seen, signature])
            chosen.append(row)
            if len(chosen) == limit:
                return chosen
        if len(page) < PAGE:
            break
    return chosen


def _signatures(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Hexadecimal signatures as uint8 [n, 80]."""
    return np.frombuffer(bytes.fromhex("".join(texts)), np.uint8).reshape(-1, SIGNATURE_BYTES)


class FeedbackAnswer(BaseModel):
    """What became of a word."""

    prediction_id: str
    label: str = Field(description="The class, normalised.")
    correct: bool = Field(description="Whether the prediction was right.")
    photograph: Became = Field(
        description="stored: it is a training image now; relabelled: its training image was; "
        "known: it was one already; contradicts: it is one of another class, which was left; "
        "not-kept: the photograph is gone."
    )
    image_id: str | None = Field(description="The training image with this label, if any.")
    message: str


@dataclass(frozen=True)
class FeedbackService:
    """Where words on predictions are taken. For one request."""

    database: Database
    blobs: Blobs
    recorder: Recorder
    known: DuplicateIndex
    max_pixels: int

    def take(
        self,
        prediction_id: str,
        label: str | None,
        origin: Origin,
        patience: float = ELSEWHERE_SECONDS,
    ) -> FeedbackAnswer:
        """Take a word on a prediction; a later one replaces it. No label: the prediction is right.

        Raises PredictionNotFoundError or BadClassNameError; nothing is changed then.
        """
        prediction, _ = find_recorded(self.database, self.recorder, prediction_id, patience)
        predicted = accepted_class_name(prediction.predicted_class)
        chosen = predicted if label is None else accepted_class_name(label)
        became, image_id, message = self._learn(prediction, chosen, origin)
        with self.database.session() as session:
            if became == "relabelled" and image_id is not None:
                images.relabel(session, [image_id], chosen)
            feedback_repository.put(session, prediction_id, chosen, chosen == predicted, image_id)
        telemetry.FEEDBACK.labels("yes" if chosen == predicted else "no").inc()
        return FeedbackAnswer(
            prediction_id=prediction_id,
            label=chosen,
            correct=chosen == predicted,
            photograph=became,
            image_id=image_id,
            message=message,
        )

    def _learn(
        self, prediction: PredictionRow, label: str, origin: Origin
    ) -> tuple[Became, str | None, str]:
        """What becomes of the photograph, its training image, and a sentence for the person."""
        with self.database.reading() as session:
            word = session.get(FeedbackRow, prediction.id)
            if word is not None and word.image_id is not None:
                image = session.get(ImageRow, word.image_id)
                if image is not None and image.origin in OURS:
                    return _relabelled(image.id, label)
        try:
            data = kept_photograph_of(self.blobs, prediction)
        except PhotographGoneError:
            return (
                "not-kept",
                None,
                "Noted, it counts for the accuracy. The photograph is no longer kept, so there is "
                "nothing to learn from.",
            )
        outcome = store_photograph(
            self.database,
            self.blobs,
            self.known,
            data,
            class_name=label,
            origin=origin,
            filename=prediction.filename,
            max_pixels=self.max_pixels,
        )
        if isinstance(outcome, DuplicateFile):
            return self._met(outcome, label)
        return "stored", outcome.image.id, f"Noted: the photograph is a training image of {label}."

    def _met(self, known: DuplicateFile, label: str) -> tuple[Became, str | None, str]:
        """The photograph is known. Only what came by such words is relabelled by one."""
        if known.class_name == label:
            return "known", known.image_id, f"Noted. {known.message}"
        if known.kind == "exact" and known.image_id is not None:
            with self.database.reading() as session:
                image = session.get(ImageRow, known.image_id)
            if image is not None and image.origin in OURS:
                return _relabelled(image.id, label)
        return "contradicts", None, f"Noted, it counts for the accuracy. {known.message}"


def _relabelled(image_id: str, label: str) -> tuple[Became, str, str]:
    return "relabelled", image_id, f"Noted: the training image is of {label} now."
