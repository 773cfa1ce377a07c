"""How often a version is right in use, by people's answers about a random sample of predictions.

The service draws the sample when it records a prediction, and asks about it in the review queue.
Answers that nobody asked for do not count: people report errors more readily. Nor do answers about
the least sure predictions. Predictions dismissed as no fruit are not in the sample.
"""

from typing import Self

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Integer, cast, func, select
from sqlalchemy.orm import Session

from api.core.sequential import evidence_below, share_interval
from api.storage.tables.predictions import FeedbackRow, PredictionRow

# Probability that a version no worse in use than on its test photos is ever reported as worse.
FALSE_ALARM_RATE = 1 / 100


class AccuracyInUse(BaseModel):
    """Accuracy of one version in use, measured on a random sample of its predictions."""

    model_version: str
    sampled: int = Field(description="Number of predictions drawn at random for review.")
    answered: int = Field(
        description="Number of sampled predictions that were reviewed when the review queue asked "
        "for them."
    )
    correct: int = Field(description="Number of answered predictions whose class was correct.")
    accuracy: float | None = Field(
        description="`correct` divided by `answered`, 0 to 1; null without answers."
    )
    low: float = Field(description="Lower bound of the 95 % confidence interval of `accuracy`.")
    high: float = Field(description="Upper bound of the 95 % confidence interval of `accuracy`.")
    held_out: float | None = Field(
        description="Accuracy on the version's own test photos; null if it was not measured."
    )
    below_held_out: bool = Field(
        description="Whether the accuracy in use is significantly below `held_out`. The test may "
        "be repeated at any time: a version that is no worse in use has a probability of at most "
        "1 % of ever being reported."
    )

    @classmethod
    def of(
        cls, version: str, sampled: int, answered: int, correct: int, held_out: float | None
    ) -> Self:
        low, high = share_interval(correct, answered)
        return cls(
            model_version=version,
            sampled=sampled,
            answered=answered,
            correct=correct,
            accuracy=correct / answered if answered else None,
            low=low,
            high=high,
            held_out=held_out,
            below_held_out=is_significantly_below(correct, answered, held_out),
        )


def is_significantly_below(correct: int, answered: int, held_out: float | None) -> bool:
    if held_out is None:
        return False
    return evidence_below(correct, answered, held_out) >= 1 / FALSE_ALARM_RATE


def accuracy_in_use(session: Session, version: str, held_out: float | None) -> AccuracyInUse:
    """`held_out`: the accuracy on the version's test photos, if it was measured."""
    # Two queries: answers are few, and the sample is large.
    drawn = select(func.count()).select_from(PredictionRow).where(*_sample(version))
    sampled = session.scalar(drawn) or 0
    return AccuracyInUse.of(version, sampled, *count_answers(session, version), held_out)


def count_answers(session: Session, version: str) -> tuple[int, int]:
    """The number of answers about the version's sample, and how many say that it was right."""
    answers = (
        select(func.count(), func.sum(cast(FeedbackRow.correct, Integer)))
        .join(PredictionRow, PredictionRow.id == FeedbackRow.prediction_id)
        .where(FeedbackRow.asked.is_(True), *_sample(version))
    )
    answered, correct = session.execute(answers).one()
    return answered, correct or 0


def _sample(version: str) -> tuple[ColumnElement[bool], ...]:
    return (
        PredictionRow.sampled.is_(True),
        PredictionRow.model_version == version,
        PredictionRow.dismissed_at.is_(None),
    )
