"""`/predictions/{id}/feedback`, `/feedback/summary` and `/review-queue`."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlalchemy.orm import Session

from api.catalog.class_names import ClassNames
from api.catalog.duplicate_index import DuplicateIndex
from api.catalog.service import PhotographStore
from api.core.errors import ProblemError
from api.core.labels import ClassName, NewClass
from api.http.deps import (
    LIMIT,
    BlobsDep,
    DatabaseDep,
    KnownPhotosDep,
    ReadingDep,
    RecordedId,
    SettingsDep,
    StateDep,
    TrainingIndexDep,
)
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.predictions import feedback_repository
from api.predictions.feedback import FeedbackAnswer, FeedbackService, UnclearFeedbackError
from api.predictions.feedback_repository import Accuracy
from api.predictions.recorded import RecordedPrediction
from api.predictions.review import least_sure, random_sample
from api.storage.db import now
from api.storage.tables.predictions import FeedbackRow, PredictionRow

MAX_ITEMS = 200
_LABELLED: JsonDict = {
    "required": ["label"],
    "properties": {"label": {"type": "string"}, "correct": {"enum": [False, None]}},
}
_AGREED: JsonDict = {
    "required": ["correct"],
    "properties": {"label": {"type": "null"}, "correct": {"const": True}},
}
router = APIRouter(route_class=CheckedRoute, tags=["feedback"], responses=responses(503, 507))


class Feedback(BaseModel):
    """Either the correct class, or confirmation that the prediction was correct."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"oneOf": [_LABELLED, _AGREED]}
    )

    label: ClassName | None = Field(
        default=None,
        max_length=200,
        description="Correct class; null if the predicted one is confirmed.",
    )
    correct: bool | None = Field(
        default=None, description="True to confirm the predicted class; otherwise send `label`."
    )
    new_class: NewClass = False

    @property
    def is_clear(self) -> bool:
        return (self.label is None) == (self.correct is True)


class ReviewItem(RecordedPrediction):
    suggested_label: str = Field(description="Class predicted by the model.")
    reason: Literal["sampled", "unrecognised", "unsure"] = Field(
        description="Why the prediction is in the queue. sampled: drawn at random to measure the "
        "accuracy in use; unrecognised: no known class; unsure: low confidence."
    )
    photograph_url: str = Field(description="Path of the photo's thumbnail on this service.")

    @classmethod
    def of_row(cls, row: PredictionRow) -> Self:
        return cls(
            **RecordedPrediction.of(row, None).model_dump(),
            suggested_label=row.predicted_class,
            reason=_reason(row),
            photograph_url=f"/predictions/{row.id}/photograph",
        )


class ReviewQueue(BaseModel):
    items: list[ReviewItem]


class Confirmation(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    prediction_id: str
    # Checked one by one, so that an invalid name does not fail the others.
    label: str = Field(
        max_length=200,
        description="Correct class, with the same rules as in feedback on one prediction.",
    )
    new_class: NewClass = False


class Confirmations(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    items: list[Confirmation] = Field(min_length=1, max_length=MAX_ITEMS)


class ConfirmationError(BaseModel):
    prediction_id: str
    code: str = Field(description="Stable error code for programs.")
    detail: str = Field(description="Human-readable explanation of what happened and what to do.")


class ReviewAnswer(BaseModel):
    """Outcome for each item, in order. An invalid item does not affect the others."""

    confirmed_count: int = Field(description="Number of entries in `confirmed`.")
    confirmed: list[FeedbackAnswer] = Field(description="Effect of each item that was accepted.")
    errors: list[ConfirmationError] = Field(description="Why each of the other items was refused.")


class FeedbackSummary(BaseModel):
    """Accuracy according to all feedback. Users are more likely to report errors, so the true
    accuracy may be higher; see `/monitoring/accuracy` for the accuracy on a random sample.
    """

    all: Accuracy = Field(description="Accuracy over all feedback.")
    recent: Accuracy = Field(description="Accuracy over feedback of the last `recent_days` days.")
    recent_days: float = Field(description="Number of days that count as recent, as requested.")
    by_class: dict[str, Accuracy] = Field(description="Accuracy by correct class.")
    by_version: dict[str, Accuracy] = Field(
        description="Accuracy by the version that made the prediction."
    )

    @classmethod
    def load(cls, session: Session, days: float) -> Self:
        recently = now() - timedelta(days=days)
        return cls(
            all=feedback_repository.accuracy(session),
            recent=feedback_repository.accuracy(session, since=recently),
            recent_days=days,
            by_class=feedback_repository.accuracies(session, FeedbackRow.label),
            by_version=feedback_repository.accuracies(session, PredictionRow.model_version),
        )


def _reason(row: PredictionRow) -> Literal["sampled", "unrecognised", "unsure"]:
    if row.sampled:
        return "sampled"
    return "unsure" if row.recognised else "unrecognised"


def _service(
    state: StateDep,
    database: DatabaseDep,
    blobs: BlobsDep,
    known: KnownPhotosDep,
    settings: SettingsDep,
) -> FeedbackService:
    with database.reading() as session:
        index = DuplicateIndex(session, known)
    store = PhotographStore(database, blobs, index, settings.max_pixels)
    return FeedbackService(store, state.recorder)


ServiceDep = Annotated[FeedbackService, Depends(_service)]


@router.post(
    "/predictions/{prediction_id}/feedback",
    summary="Submit feedback on a prediction",
    responses=responses(404, 409, 422),
)
def feedback(
    prediction_id: RecordedId,
    service: ServiceDep,
    database: DatabaseDep,
    training_index: TrainingIndexDep,
    *,
    sent: Feedback,
) -> FeedbackAnswer:
    """Submit the correct class of a prediction, or confirm the predicted one. If the photo is still
    kept, it becomes a training image of that class.

    New feedback replaces earlier feedback. New classes are allowed; if a new name resembles that of
    a known class, set `new_class` to true to confirm that it is a different class.
    """
    if not sent.is_clear:
        raise UnclearFeedbackError()
    label = sent.label
    if label is not None:
        label = ClassNames(database, training_index, sent.new_class).accept(label)
    return service.submit(prediction_id, label, "feedback")


@router.get(
    "/feedback/summary", summary="Get the accuracy according to feedback", responses=responses(422)
)
def summary(
    session: ReadingDep,
    days: Annotated[
        float,
        Query(
            gt=0, le=3650, description="Number of days that count as recent; above 0, at most 3650."
        ),
    ] = 7,
) -> FeedbackSummary:
    """Get the accuracy according to all and to recent feedback, by class and by version."""
    return FeedbackSummary.load(session, days)


@router.get("/review-queue", summary="Get the review queue", responses=responses(422))
def queue(
    session: ReadingDep, limit: Annotated[int, Query(ge=1, le=MAX_ITEMS, description=LIMIT)] = 20
) -> ReviewQueue:
    """List the predictions that are most worth reviewing. A random sample, which measures the
    accuracy in use, comes first.

    Then come predictions without feedback: unrecognised photos, then those with the lowest
    confidence. Of near-duplicates only one is listed.
    """
    rows = random_sample(session, limit)
    rows += least_sure(session, limit - len(rows)) if len(rows) < limit else []
    return ReviewQueue(items=[ReviewItem.of_row(row) for row in rows])


@router.post("/review-queue", summary="Label multiple predictions", responses=responses(422))
def confirm(
    service: ServiceDep,
    database: DatabaseDep,
    training_index: TrainingIndexDep,
    confirmations: Confirmations,
) -> ReviewAnswer:
    """Submit the correct class of multiple predictions. Invalid items do not affect the others."""
    classes = ClassNames(database, training_index)
    confirmed, errors = [], []
    for item in confirmations.items:
        try:
            label = replace(classes, new_class=item.new_class).accept(item.label)
            # The item was listed, so it is recorded: no need to wait.
            answer = service.submit(item.prediction_id, label, "review", timeout=0)
        except ProblemError as error:
            errors.append(
                ConfirmationError(
                    prediction_id=item.prediction_id, code=error.code, detail=error.detail
                )
            )
        else:
            confirmed.append(answer)
    return ReviewAnswer(confirmed_count=len(confirmed), confirmed=confirmed, errors=errors)
