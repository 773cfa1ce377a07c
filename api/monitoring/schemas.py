"""Drift figures and the monitoring summary as clients see them."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from api.monitoring.drift.figures import Figure


class DriftFigure(BaseModel):
    name: str
    value: float | None = Field(description="Null where there is too little to tell.")
    threshold: float | None = Field(description="A value above this is a drift.")
    sample_size: int = Field(description="Predictions that it was worked out from.")
    reference_size: int = Field(description="Test photographs that they were compared with.")
    enough: bool = Field(description="Whether there is enough to tell.")
    drifted: bool
    sentence: str
    since: datetime | None = Field(description="When the oldest of these predictions was made.")

    @classmethod
    def of(cls, figure: Figure) -> Self:
        values = {name: getattr(figure, name) for name in cls.model_fields}
        return cls(**values)


class Drift(BaseModel):
    """The newest predictions of the serving version against its own test photographs."""

    model_version: str
    drifted: bool
    figures: list[DriftFigure]


class Slice(BaseModel):
    """What was graded in one slice of time."""

    start: datetime
    count: int
    unrecognised: int
    mean_confidence: float | None
    by_class: dict[str, int]


class Latency(BaseModel):
    """From photograph to grade, in the service; of the newest predictions, up to 10,000."""

    sample_size: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


class ModelChange(BaseModel):
    version: str
    replaced: str | None
    kind: str = Field(description="first, gate, manual or rollback.")
    at: datetime


class Summary(BaseModel):
    since: datetime
    until: datetime
    slice_seconds: int
    predictions: int
    slices: list[Slice]
    latency: Latency | None
    failed_requests: int = Field(description="Answered with a 5xx since the service started.")
    model_changes: list[ModelChange] = Field(description="Newest first; not only of these hours.")
