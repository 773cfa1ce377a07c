"""Words on predictions: one by one, or from the review queue."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.dataset.known import Known
from api.deps import BlobsDep, DatabaseDep, LearnedDep, ReadingDep, SettingsDep, StateDep
from api.errors import ProblemError
from api.feedback.errors import UnclearFeedbackError
from api.feedback.review import review_queue
from api.feedback.schemas import (
    MAX_ITEMS,
    ConfirmationError,
    Confirmations,
    Feedback,
    FeedbackAnswer,
    FeedbackSummary,
    ReviewAnswer,
    ReviewItem,
    ReviewQueue,
)
from api.feedback.service import Desk
from api.feedback.summary import summarise
from api.problems import responses

router = APIRouter(tags=["feedback"])


def _desk(
    state: StateDep,
    database: DatabaseDep,
    blobs: BlobsDep,
    learned: LearnedDep,
    settings: SettingsDep,
) -> Desk:
    with database.reading() as session:
        known = Known.load(session, learned)
    return Desk(database, blobs, state.recorder, known, settings.max_pixels)


DeskDep = Annotated[Desk, Depends(_desk)]


@router.post(
    "/predictions/{prediction_id}/feedback",
    summary="Say what it was",
    responses=responses(404, 422, 503),
)
def feedback(desk: DeskDep, prediction_id: str, word: Feedback) -> FeedbackAnswer:
    """The photograph becomes a training image of that class, where it is still kept.

    A later word replaces an earlier one. A class that the model does not know is welcome.
    """
    if not word.is_clear:
        raise UnclearFeedbackError()
    return FeedbackAnswer.model_validate(desk.take(prediction_id, word.label, "feedback"))


@router.get("/feedback/summary", summary="How often it was right", responses=responses(422, 503))
def summary(
    session: ReadingDep,
    days: Annotated[float, Query(gt=0, le=3650, description="What counts as recent.")] = 7,
) -> FeedbackSummary:
    return FeedbackSummary.of(summarise(session, days), days)


@router.get("/review-queue", summary="What is most worth labelling?", responses=responses(422, 503))
def queue(
    session: ReadingDep, limit: Annotated[int, Query(ge=1, le=MAX_ITEMS)] = 20
) -> ReviewQueue:
    """Predictions without a word, best first: unrecognised, then least sure; look-alikes once."""
    return ReviewQueue(items=[ReviewItem.of_row(row) for row in review_queue(session, limit)])


@router.post("/review-queue", summary="Label many", responses=responses(422, 503))
def confirm(desk: DeskDep, wanted: Confirmations) -> ReviewAnswer:
    confirmed, errors = [], []
    for item in wanted.items:
        try:
            # What was listed is recorded: nothing to wait for.
            word = desk.take(item.prediction_id, item.label, "review", patience=0)
        except ProblemError as error:
            errors.append(
                ConfirmationError(
                    prediction_id=item.prediction_id, code=error.code, detail=error.detail
                )
            )
        else:
            confirmed.append(FeedbackAnswer.model_validate(word))
    return ReviewAnswer(confirmed_count=len(confirmed), confirmed=confirmed, errors=errors)
