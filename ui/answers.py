"""What the API answers, typed. Fields that this app does not use are let pass."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Freshness = Literal["fresh", "rotten"]
Level = Literal["fresh", "past_best", "rotten"]


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Explanation(Answer):
    """Where the grader looked: the photograph with a map over it, as a PNG data URI."""

    heatmap: str


class Prediction(Answer):
    """One photograph, graded."""

    prediction_id: str
    predicted_class: str
    confidence: float = Field(ge=0, le=1)
    probabilities: dict[str, float]
    fruit: str | None = None
    freshness: Freshness | None = None
    freshness_score: float | None = None
    freshness_level: Level | None = None
    recognised: bool
    interpretation: str
    model_version: str
    inference_time_ms: float
    explanation: Explanation | None = None


class Health(Answer):
    """How the service is."""

    status: str
    uptime_seconds: float
    prediction_count: int
    model_loaded: bool
    api_version: str


class Data(Answer):
    """The photographs that a model learned from."""

    photographs: int | None = None


class Model(Answer):
    """The model that answers now. `metrics` is whatever its package says of it, nested freely."""

    version: str | None = None
    architecture: str | None = None
    classes: list[str] | None = None
    data: Data | None = None
    metrics: dict[str, Any] | None = None
    champion_since: datetime | None = None


class ModelInfo(Answer):
    """The answer of `/model-info`; without a model, `model_info` is null."""

    model_info: Model | None = None
