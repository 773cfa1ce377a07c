"""JSON that the API passes on as stored: a run's verdict, a package's metrics.

docs/openapi.json leaves both open, so these models are written by hand; `api_models` uses them.
"""

from pydantic import BaseModel, ConfigDict, Field

Interval = tuple[float, float]


class Stored(BaseModel):
    model_config = ConfigDict(frozen=True)


class PairedCounts(Stored):
    """Two models on the same photos; only the champion gets `lost` right, only the candidate
    `won`."""

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
    """How many new photos the candidate grades as labelled."""

    left_out: int
    left_out_right: int
    held_out: int = 0
    held_out_right: int = 0


class SkippedPhoto(Stored):
    filename: str


class Contradictions(Stored):
    """New photos whose label the current model is sure is wrong, with some of their ids."""

    contradicted: int
    image_ids: list[str] = Field(default_factory=list)


class DetectorComparison(Stored):
    """A run's detector compared with the current one on the same held-out pictures."""

    overall: PairedCounts = _NONE
    groups: dict[str, PairedCounts] = Field(default_factory=dict)
    fruits: dict[str, PairedCounts] = Field(default_factory=dict)


class DetectorOutcome(Stored):
    """What a run did to the detector; an empty `message` means nothing worth telling. `objections`
    say why a new detector was rejected."""

    message: str = ""
    objections: list[str] = Field(default_factory=list)
    comparison: DetectorComparison | None = None


class GateComparison(Stored):
    """What the promotion gate judged by, all on the same held-out photos; only `detector` for a
    version with the previous version's grader."""

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
    # New classes that could not be told from the others, with their numbers of photos.
    unlearnable_classes: dict[str, int] = Field(default_factory=dict)
    # How many photos could not be read, and the first of them.
    skipped: int = 0
    skipped_photos: list[SkippedPhoto] = Field(default_factory=list)
    detector: DetectorOutcome = Field(default_factory=DetectorOutcome)


class Verdict(Stored):
    """The gate's verdict. `passed` without `promote` means that a person has to promote the
    version.

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
    """The predictions with similar confidence."""

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
    """Detections in photos with boxes. `average_precision` is at an overlap of one half."""

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
    """A photo with missed fruits, or with boxes that contain no fruit."""

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
