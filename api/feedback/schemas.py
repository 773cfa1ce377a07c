"""Words on predictions, and the review queue, as clients see them."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.dataset.class_names import ClassName
from api.feedback.repository import Tally
from api.feedback.service import Became
from api.feedback.summary import Summary
from api.history.schemas import RecordedPrediction
from api.predict.tables import PredictionRow

MAX_ITEMS = 200


_LABELLED: JsonDict = {
    "required": ["label"],
    "properties": {"label": {"type": "string"}, "correct": {"enum": [False, None]}},
}
_AGREED: JsonDict = {
    "required": ["correct"],
    "properties": {"label": {"type": "null"}, "correct": {"const": True}},
}


class Feedback(BaseModel):
    """Either the right class, or that the prediction was right."""

    model_config = ConfigDict(strict=True, json_schema_extra={"oneOf": [_LABELLED, _AGREED]})

    label: ClassName | None = Field(default=None, max_length=200)
    correct: bool | None = None

    @property
    def is_clear(self) -> bool:
        return (self.label is None) == (self.correct is True)


class FeedbackAnswer(BaseModel):
    """What became of a word."""

    model_config = ConfigDict(from_attributes=True)

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


class ReviewItem(RecordedPrediction):
    suggested_label: str = Field(description="What the model takes it for.")
    reason: Literal["unrecognised", "unsure"]
    photograph_url: str

    @classmethod
    def of_row(cls, row: PredictionRow) -> Self:
        return cls(
            **RecordedPrediction.of(row, None).model_dump(),
            suggested_label=row.predicted_class,
            reason="unsure" if row.recognised else "unrecognised",
            photograph_url=f"/predictions/{row.id}/photograph",
        )


class ReviewQueue(BaseModel):
    items: list[ReviewItem]


class Confirmation(BaseModel):
    model_config = ConfigDict(strict=True)

    prediction_id: str
    # Verified one by one: a name that is none spoils no other.
    label: str = Field(max_length=200, description="As in feedback on one prediction.")


class Confirmations(BaseModel):
    items: list[Confirmation] = Field(min_length=1, max_length=MAX_ITEMS)


class ConfirmationError(BaseModel):
    prediction_id: str
    code: str = Field(description="Stable, for programs.")
    detail: str


class ReviewAnswer(BaseModel):
    """What became of each item, in order; one that cannot be taken spoils no other."""

    confirmed_count: int
    confirmed: list[FeedbackAnswer]
    errors: list[ConfirmationError]


class Accuracy(BaseModel):
    words: int
    correct: int
    accuracy: float | None = Field(description="correct / words; null without any.")

    @classmethod
    def of(cls, tally: Tally) -> Self:
        share = tally.correct / tally.words if tally.words else None
        return cls(words=tally.words, correct=tally.correct, accuracy=share)


class FeedbackSummary(BaseModel):
    """On what people spoke of: they correct more readily than they agree, so it flatters nobody."""

    all: Accuracy
    recent: Accuracy
    recent_days: float
    by_class: dict[str, Accuracy] = Field(description="By the right class.")
    by_version: dict[str, Accuracy] = Field(description="By the version that graded.")

    @classmethod
    def of(cls, summary: Summary, days: float) -> Self:
        return cls(
            all=Accuracy.of(summary.all),
            recent=Accuracy.of(summary.recent),
            recent_days=days,
            by_class={tally.group: Accuracy.of(tally) for tally in summary.by_class},
            by_version={tally.group: Accuracy.of(tally) for tally in summary.by_version},
        )
