"""Grading many photographs, and what people say of predictions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import problems
from answers import Answer, Prediction
from client import ApiClient
from photos import Photo
from pydantic import RootModel

# The most that the API takes at once.
MOST_CONFIRMED = 200


class BatchPrediction(Prediction):
    """One graded photograph of a batch; of a zip, `filename` is the path behind its name."""

    filename: str


class Fault(Answer):
    """Why one file could not be graded."""

    detail: str


class BatchFailure(Answer):
    filename: str
    error: Fault


class BatchEnd(Answer):
    """The last line of a batch. Without it, the answer was cut off."""

    summary: dict[str, object]


class BatchLine(RootModel[BatchPrediction | BatchFailure | BatchEnd]):
    """One line of what `/predict/batch` answers."""


class Word(Answer):
    """What became of a person's word on a prediction."""

    label: str
    correct: bool
    message: str


class ReviewItem(Answer):
    """A prediction that a person should label, with what the model takes it for."""

    prediction_id: str
    timestamp: datetime
    filename: str
    confidence: float
    suggested_label: str
    reason: Literal["unrecognised", "unsure"]
    photograph_url: str


class ReviewQueue(Answer):
    items: list[ReviewItem]


class ConfirmationError(Answer):
    prediction_id: str
    detail: str


class Confirmed(Answer):
    """What became of a batch of labels."""

    confirmed_count: int
    errors: list[ConfirmationError]


def grade_many(api: ApiClient, photos: Sequence[Photo]) -> list[BatchPrediction | BatchFailure]:
    """Grade photographs, and those in zips among them: a result for each, in order.

    Raises ApiProblem, also where the answer breaks off.
    """
    files = [("files", (photo.name, photo.data)) for photo in photos]
    lines = [line.root for line in api.lines(BatchLine, "POST", "/predict/batch", files=files)]
    if not lines or not isinstance(lines[-1], BatchEnd):
        raise problems.unreachable(api.address)
    return [line for line in lines if not isinstance(line, BatchEnd)]


def say(api: ApiClient, prediction_id: str, label: str | None) -> Word:
    """Say what a photograph shows; without a label, that its prediction is right."""
    word = {"correct": True} if label is None else {"label": label}
    return api.call(Word, "POST", f"/predictions/{prediction_id}/feedback", json=word)


def review_queue(api: ApiClient, limit: int) -> ReviewQueue:
    """Up to `limit` predictions, those most worth labelling first."""
    return api.call(ReviewQueue, "GET", "/review-queue", params={"limit": limit})


def confirm(api: ApiClient, labels: dict[str, str]) -> Confirmed:
    """Label predictions, given as id and label; at least one and at most `MOST_CONFIRMED`."""
    items = [{"prediction_id": name, "label": label} for name, label in labels.items()]
    return api.call(Confirmed, "POST", "/review-queue", json={"items": items})
