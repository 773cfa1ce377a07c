"""How good a version is: the figures that stand together, and what its package says of itself."""

from typing import Any, Literal

from answers import Answer
from client import ApiClient
from pydantic import Field

Interval = tuple[float, float]


class Figure(Answer):
    """One measurement with what it was measured on. Several sources left out share a name."""

    name: str
    title: str
    value: float
    low: float | None = None
    high: float | None = None
    counts: str
    split: str
    measures: Literal["version", "recipe"]
    leaks: bool


class Trial(Answer):
    """One network at one input size. `wanted_weights` are those that could not be had."""

    architecture: str
    input_size: int
    weights: str
    wanted_weights: str | None = None
    training: str
    accuracy: float
    accuracy_interval_95: Interval
    macro_f1: float
    parameters: int
    megabytes: float
    milliseconds: float


class Networks(Answer):
    split: str
    latency: str
    architectures: list[Trial]
    input_sizes: list[Trial]


class Report(Answer):
    version: str
    figures: list[Figure]
    same_data: bool
    comparison: Networks | None = None
    story: str


class ClassScore(Answer):
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    files: int


class Bin(Answer):
    """The answers of about one confidence."""

    files: int
    confidence: float
    accuracy: float


class Roc(Answer):
    false_positive_rate: list[float]
    true_positive_rate: list[float]
    auc: float


class PrecisionRecall(Answer):
    recall: list[float]
    precision: list[float]
    average_precision: float


class Slice(Answer):
    by: str
    part: str
    files: int
    photographs: int
    accuracy: float
    accuracy_interval_95: Interval


class Mistake(Answer):
    file: str
    true: str
    predicted: str
    confidence: float
    copies_wrong: int


class Scores(Answer):
    """On photographs that the version has not seen. What was not measured is empty."""

    split: str = ""
    files: int | None = None
    photographs: int | None = None
    expected_calibration_error: float | None = None
    per_class: dict[str, ClassScore] = Field(default_factory=dict)
    confusion_matrix: list[list[int]] = Field(default_factory=list)
    reliability: list[Bin] = Field(default_factory=list)
    roc: dict[str, Roc] = Field(default_factory=dict)
    precision_recall: dict[str, PrecisionRecall] = Field(default_factory=dict)
    slices: list[Slice] = Field(default_factory=list)
    worst_mistakes: list[Mistake] = Field(default_factory=list)


class Metrics(Answer):
    test_by_photograph: Scores | None = None
    training_curves: list[dict[str, float | None]] = Field(default_factory=list)


class Manifest(Answer):
    classes: list[str]
    architecture: str
    input_size: int
    parameters: int
    metrics: Metrics
    recipe: dict[str, Any]

    @property
    def scores(self) -> Scores:
        return self.metrics.test_by_photograph or Scores()


class Package(Answer):
    """A version with what its package says of itself."""

    version: str
    origin: str
    parent: str | None = None
    manifest: Manifest


def report(api: ApiClient, version: str) -> Report:
    return api.call(Report, "GET", f"/report/{version}")


def package(api: ApiClient, version: str) -> Package:
    return api.call(Package, "GET", f"/models/{version}")
