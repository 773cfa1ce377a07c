"""The JSON that the API passes on as it was stored: a run's verdict, a package's metrics.

docs/openapi.json leaves both open, so these models are written by hand; `api_models` uses them.
"""

from pydantic import BaseModel, ConfigDict, Field

Interval = tuple[float, float]


class Stored(BaseModel):
    model_config = ConfigDict(frozen=True)


class PairedCounts(Stored):
    """Two models on the same photos; `lost` are right with the champion alone, `won` without it."""

    photographs: int
    champion_right: int
    lost: int
    won: int

    @property
    def candidate_right(self) -> int:
        return self.champion_right - self.lost + self.won


_NONE = PairedCounts(photographs=0, champion_right=0, lost=0, won=0)


class MetricPair(Stored):
    champion: float
    candidate: float


class LabelAgreement(Stored):
    """How many new photos the candidate grades as they were labelled."""

    left_out: int
    left_out_right: int
    held_out: int = 0
    held_out_right: int = 0


class SkippedPhoto(Stored):
    filename: str


class Contradictions(Stored):
    """New photos whose label the current model is sure is wrong; `image_ids` of some of them."""

    contradicted: int
    image_ids: list[str] = Field(default_factory=list)


class DetectorComparison(Stored):
    """The detector that a run trained against the current one, on the same held-out pictures."""

    overall: PairedCounts = _NONE
    groups: dict[str, PairedCounts] = Field(default_factory=dict)
    fruits: dict[str, PairedCounts] = Field(default_factory=dict)


class DetectorOutcome(Stored):
    """What a run did to the detector; empty `message`: nothing to tell. `objections` say why a new
    detector is not as good."""

    message: str = ""
    objections: list[str] = Field(default_factory=list)
    comparison: DetectorComparison | None = None


class GateComparison(Stored):
    """What the promotion gate judged by, all on the same held-out photos; nothing but `detector`
    for a version that has the grader of the one before."""

    overall: PairedCounts = _NONE
    recognised: PairedCounts = _NONE
    per_class: dict[str, PairedCounts] = Field(default_factory=dict)
    macro_f1: MetricPair | None = None
    calibration_error: MetricPair | None = None
    others_let_through: MetricPair | None = None
    milliseconds: MetricPair | None = None
    new_classes: dict[str, LabelAgreement] = Field(default_factory=dict)
    new_labels: dict[str, LabelAgreement] = Field(default_factory=dict)
    lost_classes: dict[str, int] = Field(default_factory=dict)
    contradictions: Contradictions | None = None
    # Classes with too few photos to learn, and how many they have.
    left_out_classes: dict[str, int] = Field(default_factory=dict)
    # New classes that could not be told from the others, likewise.
    unlearnable_classes: dict[str, int] = Field(default_factory=dict)
    # Photos that could not be read: how many, and the first of them.
    skipped: int = 0
    skipped_photos: list[SkippedPhoto] = Field(default_factory=list)
    detector: DetectorOutcome = Field(default_factory=DetectorOutcome)


class Verdict(Stored):
    """The gate's verdict. `passed` without `promote`: a person is to promote the version.

    Older verdicts lack `passed`.
    """

    promote: bool
    passed: bool = False
    reasons: list[str] = Field(default_factory=list)
    figures: GateComparison | None = None


class ClassMetrics(Stored):
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    files: int


class ReliabilityBin(Stored):
    """The predictions of about one confidence."""

    files: int
    confidence: float
    accuracy: float


class RocCurve(Stored):
    false_positive_rate: list[float]
    true_positive_rate: list[float]
    auc: float


class PrecisionRecallCurve(Stored):
    recall: list[float]
    precision: list[float]
    average_precision: float


class MetricSlice(Stored):
    by: str
    part: str
    files: int
    photographs: int
    accuracy: float
    accuracy_interval_95: Interval


class WorstError(Stored):
    file: str
    true: str
    predicted: str
    confidence: float
    copies_wrong: int


class HeldOutMetrics(Stored):
    """Metrics on test photos; what was not measured is empty."""

    split: str = ""
    files: int | None = None
    photographs: int | None = None
    expected_calibration_error: float | None = None
    per_class: dict[str, ClassMetrics] = Field(default_factory=dict)
    confusion_matrix: list[list[int]] = Field(default_factory=list)
    reliability: list[ReliabilityBin] = Field(default_factory=list)
    roc: dict[str, RocCurve] = Field(default_factory=dict)
    precision_recall: dict[str, PrecisionRecallCurve] = Field(default_factory=dict)
    slices: list[MetricSlice] = Field(default_factory=list)
    worst_mistakes: list[WorstError] = Field(default_factory=list)


class Metrics(Stored):
    test_by_photograph: HeldOutMetrics | None = None
    training_curves: list[dict[str, float | None]] = Field(default_factory=list)

    @property
    def test(self) -> HeldOutMetrics:
        return self.test_by_photograph or HeldOutMetrics()


class FoundBySize(Stored):
    fruits: int
    recall: float | None = None


class BoxedFindings(Stored):
    """What is found in photos with boxes. `average_precision` at an overlap of one half."""

    photographs: int
    fruits: int
    average_precision: float | None = None
    average_precision_by_fruit: dict[str, float] = Field(default_factory=dict)
    recall: float | None = None
    recall_by_size: dict[str, FoundBySize] = Field(default_factory=dict)
    precision: float | None = None
    right_fruit_of_found: float | None = None
    right_number: float | None = None


class GradesOfFound(Stored):
    fruits: int = 0
    fresh_or_rotten_right: float | None = None


class OneFruit(Stored):
    """Photos of one fruit."""

    photographs: int
    exactly_one: float


class Misses(Stored):
    """A photo with fruits that were missed, or boxes around no fruit."""

    file: str
    source: str
    fruits: int
    missed: int
    surplus: int


class DetectionMetrics(Stored):
    """How well the fruits of a photo are found; what was not measured is empty."""

    boxed: BoxedFindings | None = None
    by_source: dict[str, BoxedFindings] = Field(default_factory=dict)
    grades_of_found: GradesOfFound = Field(default_factory=GradesOfFound)
    single: dict[str, OneFruit] = Field(default_factory=dict)
    worst_misses: list[Misses] = Field(default_factory=list)
