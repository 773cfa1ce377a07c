"""What `/predict/batch` answers, as clients see it."""

from pydantic import BaseModel, Field

from api.dataset.labels import Level
from api.predict.schemas import Prediction
from api.problems import Problem


class BatchPrediction(Prediction):
    """One graded photograph of a batch."""

    index: int = Field(ge=0, description="Its place among the results.")
    filename: str = Field(description="As sent; of a zip, the path behind the name of the zip.")


class BatchFailure(BaseModel):
    """One file of a batch that could not be graded."""

    index: int
    filename: str
    error: Problem


class BatchSummary(BaseModel):
    """The whole batch in numbers."""

    count: int
    graded: int
    failed: int
    by_class: dict[str, int] = Field(description="Of the graded, by predicted class.")
    fresh: int
    rotten: int
    by_level: dict[Level, int] = Field(description="Of the graded, by freshness level.")
    unrecognised: int = Field(description="Of the graded: do not rely on their class.")
    model_version: str
    seconds: float


class BatchAnswer(BaseModel):
    results: list[BatchPrediction | BatchFailure]
    summary: BatchSummary
