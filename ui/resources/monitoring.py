"""How the service was in the last hours, and whether anything has drifted."""

from datetime import datetime

from answers import Answer
from client import ApiClient


class Slice(Answer):
    """What was graded in one slice of time; `mean_confidence` is 0 to 1."""

    start: datetime
    count: int
    unrecognised: int
    mean_confidence: float | None = None
    by_class: dict[str, int]


class Latency(Answer):
    """Milliseconds from photograph to grade, in the service."""

    sample_size: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


class ModelChange(Answer):
    """`version` serves from `at` on; `kind` is first, gate, manual or rollback."""

    version: str
    replaced: str | None = None
    kind: str
    at: datetime


class Summary(Answer):
    since: datetime
    until: datetime
    slice_seconds: int
    predictions: int
    slices: list[Slice]
    latency: Latency | None = None
    failed_requests: int
    model_changes: list[ModelChange]

    @property
    def unrecognised(self) -> int:
        return sum(item.unrecognised for item in self.slices)


class DriftFigure(Answer):
    """A `value` over `threshold` is a drift; both are None where there is too little to tell."""

    name: str
    value: float | None = None
    threshold: float | None = None
    sample_size: int
    reference_size: int
    enough: bool
    drifted: bool
    sentence: str
    since: datetime | None = None


class Drift(Answer):
    model_version: str
    drifted: bool
    figures: list[DriftFigure]


def summary(api: ApiClient, hours: float) -> Summary:
    return api.call(Summary, "GET", "/monitoring/summary", params={"hours": hours})


def drift(api: ApiClient) -> Drift:
    return api.call(Drift, "GET", "/drift")
