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
from api.predictions import feedback_repository
from api.predictions.feedback import FeedbackAnswer, FeedbackService, UnclearFeedbackError
from api.predictions.feedback_repository import Accuracy
from api.predictions.recorded import RecordedPrediction
from api.predictions.review import least_sure, random_sample
from api.storage.db import now
from api.storage.tables import FeedbackRow, PredictionRow

MAX_ITEMS = 200
_LABELLED: JsonDict = {
    "required": ["label"],
    "properties": {"label": {"type": "string"}, "correct": {"enum": [False, None]}},
}
_AGREED: JsonDict = {
    "required": ["correct"],
    "properties": {"label": {"type": "null"}, "correct": {"const": True}},
}
router = APIRouter(tags=["feedback"], responses=responses(503, 507))


class Feedback(BaseModel):
    """Either the right class, or that the prediction was right."""

    model_config = ConfigDict(strict=True, json_schema_extra={"oneOf": [_LABELLED, _AGREED]})

    label: ClassName | None = Field(default=None, max_length=200)
    correct: bool | None = None
    new_class: NewClass = False

    @property
    def is_clear(self) -> bool:
        return (self.label is None) == (self.correct is True)


class ReviewItem(RecordedPrediction):
    suggested_label: str = Field(description="The model's prediction.")
    reason: Literal["sampled", "unrecognised", "unsure"] = Field(
        description="sampled: drawn at random, to tell how good the model is in use."
    )
    photograph_url: str

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
    model_config = ConfigDict(strict=True)

    prediction_id: str
    # Checked one by one, so that an invalid name does not fail the others.
    label: str = Field(max_length=200, description="As in feedback on one prediction.")
    new_class: NewClass = False


class Confirmations(BaseModel):
    items: list[Confirmation] = Field(min_length=1, max_length=MAX_ITEMS)


class ConfirmationError(BaseModel):
    prediction_id: str
    code: str = Field(description="Stable, for programs.")
    detail: str


class ReviewAnswer(BaseModel):
    """The outcome of each item, in order; an invalid item does not affect the others."""

    confirmed_count: int
    confirmed: list[FeedbackAnswer]
    errors: list[ConfirmationError]


class FeedbackSummary(BaseModel):
    """By all feedback. People report errors more readily, so the true accuracy may be higher:
    /monitoring/accuracy has that of a random sample.
    """

    all: Accuracy
    recent: Accuracy
    recent_days: float
    by_class: dict[str, Accuracy] = Field(description="By the right class.")
    by_version: dict[str, Accuracy] = Field(description="By the version that graded.")

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
        index = DuplicateIndex.load(session, known)
    store = PhotographStore(database, blobs, index, settings.max_pixels)
    return FeedbackService(store, state.recorder)


ServiceDep = Annotated[FeedbackService, Depends(_service)]


@router.post(
    "/predictions/{prediction_id}/feedback",
    summary="Give feedback",
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
    """The photo becomes a training image of that class, where it is still kept.

    A later word replaces an earlier one. A class that the model does not know is welcome; if its
    name looks like a known one's, `new_class` says that a different class is meant.
    """
    if not sent.is_clear:
        raise UnclearFeedbackError()
    label = sent.label
    if label is not None:
        label = ClassNames(database, training_index, sent.new_class).accept(label)
    return service.submit(prediction_id, label, "feedback")


@router.get("/feedback/summary", summary="Accuracy by feedback", responses=responses(422))
def summary(
    session: ReadingDep,
    days: Annotated[
        float, Query(gt=0, le=3650, description="Number of days that count as recent.")
    ] = 7,
) -> FeedbackSummary:
    return FeedbackSummary.load(session, days)


@router.get("/review-queue", summary="Review queue", responses=responses(422))
def queue(
    session: ReadingDep, limit: Annotated[int, Query(ge=1, le=MAX_ITEMS)] = 20
) -> ReviewQueue:
    """A random sample of the predictions first, to tell how good the model is in use.

    Then those without feedback: unrecognised, then least certain; near-duplicates once.
    """
    rows = random_sample(session, limit)
    rows += least_sure(session, limit - len(rows)) if len(rows) < limit else []
    return ReviewQueue(items=[ReviewItem.of_row(row) for row in rows])


@router.post("/review-queue", summary="Label many", responses=responses(422))
def confirm(
    service: ServiceDep,
    database: DatabaseDep,
    training_index: TrainingIndexDep,
    confirmations: Confirmations,
) -> ReviewAnswer:
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
