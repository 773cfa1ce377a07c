"""The API's answers. Generated from docs/openapi.json by `make api-models`: do not edit."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel as _BaseModel
from pydantic import ConfigDict, Field, RootModel
from stored_models import DetectionMetrics, Metrics, Verdict


class BaseModel(_BaseModel):
    model_config = ConfigDict(
        frozen=True,
    )


class Accuracy(BaseModel):
    accuracy: float | None = None
    correct: int
    words: int


class AccuracyInUse(BaseModel):
    """Accuracy of one version in use, measured on a random sample of its predictions."""

    accuracy: float | None = None
    answered: int
    below_held_out: bool
    correct: int
    held_out: float | None = None
    high: float
    low: float
    model_version: str
    sampled: int


class Balance(BaseModel):
    largest: str
    largest_examples: int
    ratio: float
    smallest: str
    smallest_examples: int
    story: str


class BatchSummary(BaseModel):
    """Totals for a batch."""

    batch_id: str
    by_class: dict[str, int]
    by_level: dict[Literal["fresh", "past_best", "rotten"], int]
    count: int
    failed: int
    fresh: int
    graded: int
    model_version: str
    rotten: int
    seconds: float
    unrecognised: int


class BoxedFingerprint(BaseModel):
    """Fingerprint of the boxed photos in the catalog that a detector was trained on."""

    boxes: int
    photographs: int
    sha256: str


class CatalogPhoto(BaseModel):
    """A photo that is still in the catalog: an image or a boxed photo."""

    boxed_photo_id: str | None = None
    filename: str
    height: int
    image_id: str | None = None
    width: int


class ConfirmationError(BaseModel):
    code: str
    detail: str
    prediction_id: str


class CopyCount(BaseModel):
    copies: int
    photographs: int


class Count(BaseModel):
    class_name: str
    examples: int
    origin: Literal["shipped", "boxed", "upload", "feedback", "review"]
    split: Literal["train", "validation", "test"]


class Counts(BaseModel):
    """
    Number of fruits by level. `unknown` counts fruits that were not recognised and have not been
    corrected.
    """

    fresh: int
    past_best: int
    rotten: int
    unknown: int


class DataFingerprint(BaseModel):
    """Fingerprint of the training photos of a package."""

    boxed: int
    files: int
    photographs: int
    sha256: str


class Difference(BaseModel):
    """A metric of two versions. `difference` is `b` minus `a`; null if either is missing."""

    a: float | None = None
    b: float | None = None
    better: Literal["higher", "lower"]
    difference: float | None = None
    name: str


class DriftFigure(BaseModel):
    drifted: bool
    enough: bool
    name: str
    reference_size: int
    sample_size: int
    sentence: str
    since: datetime | None = None
    threshold: float | None = None
    value: float | None = None


class DuplicateFile(BaseModel):
    """An uploaded file that shows a known photo and was not stored."""

    class_name: str
    filename: str
    image_id: str | None = None
    kind: Literal["exact", "near"]
    message: str
    of: str


class EngineInfo(BaseModel):
    """The inference engine that runs the model in this process."""

    milliseconds: float
    name: str
    precision: str
    processor: str = ""


class FeedbackAnswer(BaseModel):
    """Effect of the feedback."""

    correct: bool
    image_id: str | None = None
    label: str
    message: str
    photograph: Literal["stored", "relabelled", "known", "contradicts", "not-kept"]
    prediction_id: str


class FeedbackSummary(BaseModel):
    """
    Accuracy according to all feedback. Users are more likely to report errors, so the true
    accuracy may be higher; see `/monitoring/accuracy` for the accuracy on a random sample.
    """

    all: Accuracy
    by_class: dict[str, Accuracy]
    by_version: dict[str, Accuracy]
    recent: Accuracy
    recent_days: float


class Figure(BaseModel):
    """A metric, with the data it was measured on."""

    counts: str
    high: float | None = None
    leaks: bool
    low: float | None = None
    measures: Literal["version", "recipe"]
    name: Literal[
        "sources", "source", "near", "test", "folds", "phone_fruit", "phone_edible", "supplied"
    ]
    split: str
    title: str
    value: float


class FileError(BaseModel):
    code: str
    detail: str
    filename: str


class FruitBox(BaseModel):
    """A bounding box in pixels of the upright photo; x points right, y points down."""

    x_max: Annotated[float, Field(ge=-1000000.0, le=1000000.0)]
    x_min: Annotated[float, Field(ge=-1000000.0, le=1000000.0)]
    y_max: Annotated[float, Field(ge=-1000000.0, le=1000000.0)]
    y_min: Annotated[float, Field(ge=-1000000.0, le=1000000.0)]


class FruitFreshness(BaseModel):
    fresh: int
    fruit: str
    rotten: int


class Headlines(BaseModel):
    """Headline metrics of a version; null if not measured."""

    accuracy: float | None = None
    expected_calibration_error: float | None = None
    files: int | None = None
    macro_f1: float | None = None
    photographs: int | None = None
    split: str | None = None


class Health(BaseModel):
    api_version: str
    model_loaded: bool
    prediction_count: int
    status: Literal["healthy"] = "healthy"
    timestamp: datetime
    uptime_seconds: float


class ImageSize(BaseModel):
    """Size of the upright photo as sent, in pixels."""

    height: int
    width: int


class InstanceSummary(BaseModel):
    """Totals for the fruits in one photo."""

    by_class: dict[str, int]
    by_level: dict[Literal["fresh", "past_best", "rotten"], int]
    count: int
    ungraded: int
    unrecognised: int
    worst: int | None = None


class KeptVersion(BaseModel):
    """Accuracy of a version on the photos held out of the version reported on."""

    accuracy: float
    accuracy_of_newest: float | None = None
    created_at: datetime
    photographs: int
    version: str


class KnownPhotographs(BaseModel):
    by_class: dict[str, dict[str, int]]
    total: int


class Latency(BaseModel):
    """
    Time from photo to grade within the service, in milliseconds, over the newest predictions (up
    to 10,000).
    """

    p50_ms: float
    p95_ms: float
    p99_ms: float
    sample_size: int


class LeakIfDealtByFile(BaseModel):
    """Expected leak if files, instead of photos, had been assigned to splits at random."""

    also_in_train: float
    share: float
    test_photographs: float
    test_share: float


class LevelShare(BaseModel):
    """Share of one level among the graded fruits, with a confidence interval for the lot."""

    count: int
    high: float
    level: Literal["fresh", "past_best", "rotten"]
    limit: float | None = None
    low: float
    share: float | None = None


class WorseShare(RootModel[float]):
    root: Annotated[float, Field(gt=0.0, lt=1.0)]


class LineCosts(BaseModel):
    """Costs of errors at one threshold, in any unit."""

    model_config = ConfigDict(
        extra="forbid",
    )
    let_through: Annotated[float, Field(gt=0.0, le=1000000.0)] = 1.0
    refused: Annotated[float, Field(gt=0.0, le=1000000.0)] = 1.0
    worse_share: WorseShare | None = None


class Live(BaseModel):
    status: Literal["alive"] = "alive"


class LotVerdict(BaseModel):
    """
    Verdict on the lot: accept, reject, or photograph more. It remains valid however often it is
    checked.
    """

    decision: Literal["accept", "reject", "more"]
    message: str
    more: int | None = None
    over: list[Literal["fresh", "past_best", "rotten"]]


class FeatureShapeItem(RootModel[int]):
    root: Annotated[int, Field(ge=1, le=8192)]


class ClassName(RootModel[str]):
    root: Annotated[
        str,
        Field(
            max_length=200,
            pattern="^[^\\u0000-\\u0008\\u000e-\\u001b\\u007f-\\u0084\\u0086-\\u009f\\u00ad\\u034f\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb]*(\\p{L}|\\p{N})[^\\u0000-\\u0008\\u000e-\\u001b\\u007f-\\u0084\\u0086-\\u009f\\u00ad\\u034f\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb]*$",
        ),
    ]


class MarkedFruit(BaseModel):
    """A bounding box around one fruit, and its class."""

    model_config = ConfigDict(
        extra="forbid",
    )
    box: FruitBox
    class_name: ClassName | None = None


class Miss(BaseModel):
    """A held-out photo with missed fruits, or with boxes where there is no fruit."""

    file: str
    fruits: int
    missed: int
    missed_boxes: list[FruitBox]
    photo: CatalogPhoto | None = None
    source: str
    surplus: int
    surplus_boxes: list[FruitBox]


class Mistake(BaseModel):
    """A held-out photo, or one boxed fruit on it, that the version grades wrongly."""

    box: FruitBox | None = None
    class_name: str
    confidence: float
    photo: CatalogPhoto | None = None
    photograph: str
    predicted_class: str
    source: str


class Mistakes(BaseModel):
    """Held-out photos that a version grades wrongly."""

    held_out: int
    misses: list[Miss]
    mistakes: list[Mistake]
    version: str
    wrong: int
    wrong_with_photo: int


class ModelChange(BaseModel):
    at: datetime
    kind: str
    replaced: str | None = None
    version: str


class ModelSummary(BaseModel):
    """Short form of the manifest of the current version."""

    architecture: str | None = None
    champion_since: datetime | None = None
    classes: list[str] | None = None
    created_at: datetime | None = None
    data: dict[str, Any] | None = None
    finds_fruits: bool | None = None
    input_size: int | None = None
    metrics: dict[str, Any] | None = None
    parameters: int | None = None
    parent: str | None = None
    preprocessing: str | None = None
    thresholds: dict[str, float] | None = None
    version: str | None = None


class ModelThresholds(BaseModel):
    """The freshness thresholds fitted when the current version was trained."""

    fresh_from: float | None = None
    rotten_below: float


class PixelBox(BaseModel):
    """A bounding box in whole pixels of the upright photo; x points right, y points down."""

    x_max: int
    x_min: int
    y_max: int
    y_min: int


class Point(BaseModel):
    class_name: str
    image_id: str | None = None
    origin: Literal["shipped", "boxed", "upload", "feedback", "review"]
    photograph: str
    split: Literal["train", "validation", "test"]
    x: float
    y: float


class Problem(BaseModel):
    """Error response, as problem details (RFC 9457)."""

    code: str | None = None
    detail: str
    request_id: str | None = None
    status: int | None = None
    title: str | None = None
    type: str | None = None


class Promotion(BaseModel):
    """A change of the current version."""

    at: datetime
    kind: Literal["first", "gate", "manual", "rollback"]
    replaced: str | None = None
    version: str


class PromotionByHand(BaseModel):
    at: datetime
    kind: Literal["first", "gate", "manual", "rollback"]
    lacks_thresholds: list[str]
    replaced: str | None = None
    version: str


class Quantiles(BaseModel):
    """The 5th, 25th, 50th, 75th and 95th percentiles."""

    p25: float
    p5: float
    p50: float
    p75: float
    p95: float


class Ready(BaseModel):
    status: Literal["ready"] = "ready"


class Relabelled(BaseModel):
    class_name: str
    former: dict[str, list[str]]
    missing: list[str]
    relabelled: int


class Removed(BaseModel):
    kept_days: float
    missing: list[str]
    removed: int


class RemovedInspection(BaseModel):
    id: str
    kept_until: datetime
    lot: str
    photos: int
    removed_at: datetime
    supplier: str


class RemovedInspectionPage(BaseModel):
    """A page of removed inspections, last removed first."""

    inspections: list[RemovedInspection]
    kept_days: float
    limit: int
    offset: int
    total: int


class RemovedInspectionPhoto(BaseModel):
    filename: str
    fruits: int
    id: str
    kept_until: datetime
    number: int
    removed_at: datetime


class RemovedInspectionPhotoPage(BaseModel):
    """A page of removed photos, last removed first."""

    kept_days: float
    limit: int
    offset: int
    photos: list[RemovedInspectionPhoto]
    total: int


class RemovedPhoto(BaseModel):
    """A removed training photo that can be restored."""

    class_name: str | None = None
    filename: str
    id: str
    kept_until: datetime
    kind: Literal["image", "boxed"]
    removed_at: datetime


class Restored(BaseModel):
    """Outcome of a request to restore removed photos."""

    known: list[str]
    missing: list[str]
    restored: int


class RetrainStarted(BaseModel):
    message: str
    run_id: str
    status: Literal["queued"] = "queued"
    timestamp: datetime


class RetrainingStatus(BaseModel):
    """Status of the newest run, active or finished."""

    candidate: str | None = None
    eta_seconds: float | None = None
    finished_at: datetime | None = None
    is_retraining: bool
    losses: list[dict[str, float]] = []
    message: str = "No retraining yet."
    mode: Literal["fast", "full", "detector"] | None = None
    progress: float = 0.0
    run_id: str | None = None
    stage: str = ""
    started_at: datetime | None = None
    state: (
        Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"] | None
    ) = None
    verdict: dict[str, Any] | None = None


class ReviewAnswer(BaseModel):
    """Outcome for each item, in order. An invalid item does not affect the others."""

    confirmed: list[FeedbackAnswer]
    confirmed_count: int
    errors: list[ConfirmationError]


class ShadowAnswer(BaseModel):
    """The grade that a version gives."""

    freshness_level: Literal["fresh", "past_best", "rotten"] | None = None
    predicted_class: str | None = None


class ShadowDifference(BaseModel):
    """A pair of differing grades, and how often it occurred."""

    count: int
    examples: list[str]
    in_use: ShadowAnswer
    shadow: ShadowAnswer


class Size(BaseModel):
    """A group of pictures of about this size, in pixels."""

    examples: int
    height: int
    width: int


class Sizes(BaseModel):
    height: Quantiles | None = None
    input_size: int
    measured: int
    not_measured: int
    sizes: list[Size]
    smaller: int
    story: str
    width: Quantiles | None = None


class Slice(BaseModel):
    """Predictions in one time bucket."""

    by_class: dict[str, int]
    count: int
    mean_confidence: float | None = None
    start: datetime
    unrecognised: int


class Status(BaseModel):
    api_status: Literal["online"] = "online"
    catalog_problem: str | None = None
    last_model_update: datetime | None = None
    model_classes: list[str]
    model_loaded: bool
    model_problem: str | None = None
    recording_problem: str | None = None
    storage_problem: str | None = None
    total_predictions: int
    training_status: str
    uptime_seconds: float


class Suggestion(BaseModel):
    """A retraining run suggested by a trigger."""

    created_at: datetime
    ended_at: datetime | None = None
    model_version: str
    reason: str
    run_id: str | None = None
    state: Literal["open", "accepted", "dismissed", "withdrawn"]
    suggestion_id: str
    threshold: float | None = None
    trigger: str
    unit: str
    value: float | None = None


class Suggestions(BaseModel):
    suggestions: list[Suggestion]


class Summary(BaseModel):
    failed_requests: int
    latency: Latency | None = None
    model_changes: list[ModelChange]
    predictions: int
    since: datetime
    slice_seconds: int
    slices: list[Slice]
    until: datetime


class SweepPoint(BaseModel):
    """Errors at one threshold."""

    cost: float | None = None
    let_through: int
    let_through_at_most: float
    let_through_share: float | None = None
    refused: int
    refused_at_most: float
    refused_share: float | None = None
    threshold: float


class TracedFreshness(BaseModel):
    """Output of the freshness head, before configured thresholds apply."""

    levels: dict[Literal["fresh", "past_best", "rotten"], float]
    logit: float
    score: float
    temperature: float


class TracedFruit(BaseModel):
    """Output of the fruit head."""

    logits: dict[str, float]
    probabilities: dict[str, float]
    temperature: float


class TracedPhoto(BaseModel):
    """Sizes of the photo in pixels."""

    decoded_height: int
    decoded_width: int
    height: int
    input_size: int
    width: int


class TracedRejection(BaseModel):
    """
    The check for out-of-distribution photos. A photo is recognised if `score` is at most
    `limit`.
    """

    distance_weight: float
    distances: dict[str, float]
    limit: float | None = None
    none_logit: float
    recognised: bool
    score: float


class TracedThresholds(BaseModel):
    fresh_from: float | None = None
    rotten_below: float


class TracedTimes(BaseModel):
    """Time taken by each step of this pass, on one thread, in milliseconds."""

    decode: float
    heads: float
    network: float
    resize: float


class TrainingImage(BaseModel):
    bytes: int
    class_name: str
    created_at: datetime
    filename: str
    height: int
    id: str
    origin: Literal["upload", "feedback", "review"]
    photograph: str
    sha256: str
    split: Literal["train", "validation", "test"]
    width: int


class TrainingStatus(BaseModel):
    """Short retraining status, for older clients."""

    is_training: bool
    message: str
    progress: float


class Trial(BaseModel):
    """One architecture at one input size; all were measured in the same way."""

    accuracy: float
    accuracy_interval_95: tuple[float, float]
    architecture: str
    input_size: int
    macro_f1: float
    megabytes: float
    milliseconds: float
    parameters: int
    training: str
    wanted_weights: str | None = None
    weights: str


class TrialSummary(BaseModel):
    """Totals for the photos of a comparison."""

    a: str
    b: str
    count: int
    different: int
    failed: int
    same: int


class Trigger(BaseModel):
    cooldown_hours: float
    description: str
    enabled: bool
    highest: float | None = None
    last_fired_at: datetime | None = None
    last_run_id: str | None = None
    lowest: float | None = None
    mode: Literal["off", "suggest", "start", "start_and_promote"]
    name: str
    reason: str
    schedule: Literal["none", "weekly", "monthly"] | None = None
    suggestion: Suggestion | None = None
    threshold: float | None = None
    unit: str
    value: float | None = None
    would_fire: bool


class Triggers(BaseModel):
    triggers: list[Trigger]


class UnreadablePhoto(BaseModel):
    """A photo in the catalog that retraining skips."""

    filename: str
    image_id: str
    reason: str


class UploadedBoxedPhoto(BaseModel):
    boxes: int
    filename: str
    id: str


class UploadedFile(BaseModel):
    class_name: str
    filename: str
    id: str
    photograph: str
    split: Literal["train", "validation", "test"]


class UsedThresholds(BaseModel):
    """The freshness thresholds that decided a level."""

    fresh_from: float | None = None
    rotten_below: float


class VersionAccuracies(BaseModel):
    versions: list[AccuracyInUse]


class View(BaseModel):
    confidence: float
    freshness_score: float | None = None
    picture: str
    predicted_class: str


class ArchitectureComparison(BaseModel):
    """Comparison of network architectures, and of one architecture at several input sizes."""

    architectures: list[Trial]
    data: DataFingerprint
    input_sizes: list[Trial]
    latency: str
    split: str


class Augmentation(BaseModel):
    """One photo and augmented views of it."""

    class_name: str | None = None
    freshness: Literal["fresh", "rotten"] | None = None
    image_id: str | None = None
    model_version: str
    original: View
    seed: int
    story: str
    views: list[View]


class BatchFailure(BaseModel):
    """A file in a batch that could not be graded."""

    error: Problem
    filename: str
    index: int | None = None


class BoxedPhotoAnswer(BaseModel):
    """A photo with bounding boxes around its fruits, in pixels of the stored photo."""

    boxes: list[MarkedFruit]
    bytes: int
    complete: bool
    created_at: datetime
    filename: str
    height: int
    id: str
    origin: Literal["upload", "feedback"]
    photograph: str
    prediction_id: str | None = None
    sha256: str
    split: Literal["train", "validation", "test"]
    width: int


class BoxedPhotoPage(BaseModel):
    boxed_photos: list[BoxedPhotoAnswer]
    limit: int
    offset: int
    total: int


class BoxedUploadReport(BaseModel):
    """Outcome for each photo, and an error for each annotation file that cannot be used."""

    boxes: int
    errors: list[FileError]
    known: list[UploadedBoxedPhoto]
    stored: list[UploadedBoxedPhoto]


class BoxesAnswer(BaseModel):
    """The boxed photo made from a prediction; its boxes are in pixels of the stored photo."""

    boxes: list[MarkedFruit]
    complete: bool
    height: int
    id: str
    message: str
    photograph: Literal["stored", "replaced", "known"]
    prediction_id: str
    width: int


class ClassAppearance(BaseModel):
    brightness: Quantiles
    class_name: str
    examples: int
    hue: Quantiles
    saturation: Quantiles


class ClassDifference(BaseModel):
    """Metrics of a class that both versions know."""

    class_name: str
    figures: list[Difference]


class Copies(BaseModel):
    """Files that show the same photo. Boxed fruits are not counted."""

    files: int
    histogram: list[CopyCount]
    in_two_splits: int
    known: bool
    leak: LeakIfDealtByFile | None = None
    most: int
    photographs: int
    story: str
    with_copies: int


class DatasetSummary(BaseModel):
    """
    Size of the training data. Images are files in the catalog; copies of a photo count as one
    photo.
    """

    boxed_photos: int = 0
    boxes: int = 0
    boxes_by_class: dict[str, int] | None = None
    by_class: dict[str, int]
    by_origin: dict[str, int]
    by_split: dict[str, int]
    images: int
    new_images: int
    newest_upload: datetime | None = None
    photographs: KnownPhotographs


class DetectorManifest(BaseModel):
    """The fruit detector of a package: its outputs, how to read them, and how it was made."""

    catalog: BoxedFingerprint | None = None
    created_at: datetime
    fruits: Annotated[list[str], Field(max_length=1000, min_length=1)]
    input_size: Annotated[int, Field(ge=8, le=1024)]
    max_overlap: Annotated[float, Field(ge=0.0, le=1.0)]
    metrics: DetectionMetrics | None = None
    parameters: int
    probe: list[float] | None = None
    recipe: dict[str, Any] = {}
    score_threshold: Annotated[float, Field(ge=0.0, le=1.0)]


class Drift(BaseModel):
    """Drift of the current version's recent predictions from its own test photos."""

    drifted: bool
    figures: list[DriftFigure]
    model_version: str


class EmbeddingMap(BaseModel):
    """The first two principal components (PCA) of the embeddings."""

    explained: tuple[float, float]
    left_out: int
    model_version: str
    points: list[Point]
    story: str
    total: int
    unreadable: list[str]


class Estimate(BaseModel):
    """Expected effect of a run, and its duration on the machine of the previous runs."""

    boxed_photos: int
    champion: str
    detector_seconds: float
    fast_seconds: float
    full_seconds: float
    left_out: dict[str, int]
    new: int
    new_by_class: dict[str, int]
    photographs: int
    relabelled: int
    removed: int
    unreadable: list[UnreadablePhoto]


class FailedPhoto(BaseModel):
    error: Problem
    filename: str


class Freshness(BaseModel):
    by_fruit: list[FruitFreshness]
    fresh: int
    other: int
    rotten: int
    story: str


class FreshnessThresholds(BaseModel):
    """
    The freshness thresholds in use. A score below `rotten_below` is rotten, a score of at least
    `fresh_from` is fresh, and one between them is past_best.

    All values are null if the version has no freshness classes and nobody has set thresholds.
    """

    fresh_from: float | None = None
    model: ModelThresholds | None = None
    rotten_below: float | None = None
    set_by: Literal["user", "environment", "model"]


class History(BaseModel):
    promotions: list[Promotion]


class ImagePage(BaseModel):
    images: list[TrainingImage]
    limit: int
    offset: int
    total: int


class Inspection(BaseModel):
    """The current state of an inspection."""

    confidence: float
    counts: Counts
    created_at: datetime
    id: str
    kind: str
    lot: str
    max_past_best: float | None = None
    max_rotten: float
    photos: int
    same_asked: int
    shares: list[LevelShare]
    supplier: str
    verdict: LotVerdict


class InspectionFruit(BaseModel):
    """One fruit in an inspection; its box is in pixels of the upright photo."""

    added: bool
    box: FruitBox
    confidence: float | None = None
    freshness_level: Literal["fresh", "past_best", "rotten"] | None = None
    freshness_score: float | None = None
    freshness_thresholds: UsedThresholds | None = None
    level: Literal["fresh", "past_best", "rotten"] | None = None
    number: int
    photo_id: str
    predicted_class: str | None = None
    recognised: bool
    said: Literal["fresh", "past_best", "rotten", "no_fruit"] | None = None


class InspectionFruitPage(BaseModel):
    fruits: list[InspectionFruit]
    limit: int
    offset: int
    total: int


class InspectionPage(BaseModel):
    inspections: list[Inspection]
    limit: int
    offset: int
    total: int


class InspectionPhoto(BaseModel):
    """One photo of an inspection. `/predictions/{id}/photograph` returns its picture."""

    answered: bool
    counted: bool
    created_at: datetime
    filename: str
    fruits: list[InspectionFruit]
    height: int
    id: str
    model_version: str
    number: int
    photograph_kept: bool
    same_as: str | None = None
    ungraded: int
    width: int


class InspectionPhotoPage(BaseModel):
    limit: int
    offset: int
    photos: list[InspectionPhoto]
    total: int


class Instance(BaseModel):
    """One fruit in a photo, graded from the pixels of the photo around its box."""

    box: PixelBox
    confidence: Annotated[float, Field(ge=0.0, le=1.0)]
    freshness: Literal["fresh", "rotten"] | None = None
    freshness_level: Literal["fresh", "past_best", "rotten"] | None = None
    freshness_score: float | None = None
    freshness_thresholds: UsedThresholds | None = None
    fruit: str
    predicted_class: str
    probabilities: dict[str, float]
    recognised: bool
    score: Annotated[float, Field(ge=0.0, le=1.0)]


class LevelCosts(BaseModel):
    """Costs of errors at each threshold; null where none were given."""

    model_config = ConfigDict(
        extra="forbid",
    )
    fresh_from: LineCosts | None = None
    rotten_below: LineCosts | None = None


class Manifest(BaseModel):
    """Contents of `manifest.json`. It is written last: a package without it is incomplete."""

    architecture: str
    classes: Annotated[list[str], Field(max_length=1000, min_length=1)]
    created_at: datetime
    data: DataFingerprint
    detector: DetectorManifest | None = None
    feature_shape: tuple[FeatureShapeItem, FeatureShapeItem, FeatureShapeItem]
    files: dict[str, str]
    format: int = 1
    grader_created_at: datetime | None = None
    input_size: Annotated[int, Field(ge=8, le=1024)]
    metrics: Metrics
    parameters: int
    parent: str | None = None
    preprocessing: str
    probe: list[list[float]] | None = None
    recipe: dict[str, Any]
    started_by: str | None = None
    thresholds: dict[str, float]
    version: str
    versions: dict[str, str]


class ModelInfo(BaseModel):
    engine: EngineInfo | None = None
    model_info: ModelSummary | None = None
    model_problem: str | None = None
    prediction_count: int | None = None
    promote: Literal["gate", "person"] | None = None
    status: Literal["loaded", "no model"] | None = None
    uptime_seconds: float | None = None


class RemovedPage(BaseModel):
    """A page of removed photos, last removed first."""

    kept_days: float
    limit: int
    offset: int
    photos: list[RemovedPhoto]
    total: int


class Report(BaseModel):
    """Metrics of a version, with their data and splits."""

    architecture: str
    comparison: ArchitectureComparison | None = None
    figures: list[Figure]
    kept_versions: list[KeptVersion]
    recipe_data: DataFingerprint | None = None
    same_data: bool
    story: str
    version: str


class ReviewItem(BaseModel):
    confidence: float
    filename: str
    freshness_level: Literal["fresh", "past_best", "rotten"] | None = None
    freshness_score: float | None = None
    freshness_thresholds: UsedThresholds | None = None
    inference_time_ms: float
    label: str | None = None
    model_version: str
    photograph_kept: bool
    photograph_url: str
    predicted_class: str
    prediction_id: str
    probabilities: dict[str, float]
    reason: Literal["sampled", "unrecognised", "unsure"]
    recognised: bool
    suggested_label: str
    timestamp: datetime


class ReviewQueue(BaseModel):
    items: list[ReviewItem]


class Run(BaseModel):
    """A retraining run."""

    cancel_requested: bool
    candidate: str | None = None
    created_at: datetime
    eta_seconds: float | None = None
    finished_at: datetime | None = None
    losses: list[dict[str, float]]
    message: str
    mode: Literal["fast", "full", "detector"]
    options: dict[str, Any]
    progress: float
    run_id: str
    stage: str
    started_at: datetime | None = None
    started_by: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
    verdict: Verdict | None = None


class Runs(BaseModel):
    """A page of retraining runs, newest first."""

    runs: list[Run]
    total: int


class Shadow(BaseModel):
    """The latest shadow deployment of a version."""

    agreement: float | None = None
    below_min: bool
    beside: str | None = None
    differences: list[ShadowDifference]
    different: int
    ended_at: datetime | None = None
    failed: int
    graded: int
    high: float
    low: float
    photos: int | None = None
    same: int
    share: float | None = None
    started_at: datetime | None = None
    state: Literal["off", "running", "complete", "stopped", "replaced"]
    version: str


class Sweep(BaseModel):
    """Errors on a set of photos, or fruits in photos, at each threshold."""

    better: int
    in_use: SweepPoint
    points: list[SweepPoint]
    suggested: SweepPoint | None = None
    worse: int


class ThresholdSweep(BaseModel):
    """Errors of a version for one fruit as one freshness threshold moves through its range."""

    corrected: Sweep
    costs: LineCosts
    fewest: int
    fruit: str
    held_out: Sweep
    line: Literal["rotten_below", "fresh_from"]
    version: str


class TracedLevel(BaseModel):
    """How the freshness level follows from the class probabilities."""

    freshness_score: float | None = None
    in_use: TracedThresholds | None = None
    level: Literal["fresh", "past_best", "rotten"] | None = None
    of_the_model: TracedThresholds | None = None
    probabilities: dict[str, float]


class TrialGrade(BaseModel):
    """The grade that one of the two versions gives."""

    confidence: Annotated[float, Field(ge=0.0, le=1.0)]
    freshness: Literal["fresh", "rotten"] | None = None
    freshness_level: Literal["fresh", "past_best", "rotten"] | None = None
    freshness_score: float | None = None
    freshness_thresholds: UsedThresholds | None = None
    fruit: str
    predicted_class: str
    probabilities: dict[str, float]
    recognised: bool


class TrialPhoto(BaseModel):
    """One photo, graded by both versions."""

    a: TrialGrade
    b: TrialGrade
    filename: str
    index: Annotated[int, Field(ge=0)]
    prediction_id: str | None = None
    same: bool


class UploadReport(BaseModel):
    """
    Outcome for each uploaded file. Files in none of the lists, such as hidden files in a zip,
    were skipped.
    """

    class_name: str | None = None
    duplicates: list[DuplicateFile]
    errors: list[FileError]
    timestamp: datetime
    uploaded_count: int
    uploaded_files: list[UploadedFile]


class Version(BaseModel):
    """A model version."""

    classes: list[str]
    created_at: datetime
    data: DataFingerprint
    metrics: Headlines
    name: str
    note: str
    origin: Literal["shipped", "fast", "full", "detector"]
    parent: str | None = None
    recipe: dict[str, Any]
    registered_at: datetime
    run_id: str | None = None
    started_by: str
    status: Literal["champion", "challenger", "retired", "pruned"]
    verdict: Verdict | None = None
    version: str


class VersionComparison(BaseModel):
    """Comparison of two versions."""

    a: Version
    b: Version
    figures: list[Difference]
    per_class: list[ClassDifference]
    same_data: bool


class VersionDetails(Version):
    manifest: Manifest


class Versions(BaseModel):
    champion: str | None = None
    models: list[Version]
    rollback_to: str | None = None


class AddedPhotos(BaseModel):
    """Outcome for each uploaded file, and the inspection afterwards."""

    added: list[InspectionPhoto]
    errors: list[FailedPhoto]
    inspection: Inspection
    known: list[InspectionPhoto]


class Appearance(BaseModel):
    by_class: list[ClassAppearance]
    measured: int
    not_measured: int
    story: str


class DatasetInsights(BaseModel):
    """
    The data at present: the training and test photos of the current version, and the catalog.

    An example is one photo, or one boxed fruit on a photo.
    """

    appearance: Appearance
    balance: Balance | None = None
    copies: Copies
    counts: list[Count]
    examples: int
    freshness: Freshness | None = None
    from_catalog: int
    model_version: str
    sizes: Sizes


class FruitThresholds(BaseModel):
    """The freshness thresholds for one fruit."""

    changed_at: datetime | None = None
    costs: LevelCosts | None = None
    fresh_from: float | None = None
    fruit: str
    rotten_below: float
    set_by: Literal["fruit"] | Literal["user", "environment", "model"]


class HistoryItem(BaseModel):
    """A recorded prediction with everything known about it."""

    batch_id: str | None = None
    confidence: float
    dismissed_at: datetime | None = None
    filename: str
    freshness: Literal["fresh", "rotten"] | None = None
    freshness_level: Literal["fresh", "past_best", "rotten"] | None = None
    freshness_score: float | None = None
    freshness_thresholds: UsedThresholds | None = None
    fruit: str
    image: ImageSize | None = None
    inference_time_ms: float
    inspection_id: str | None = None
    instances: list[Instance] | None = None
    interpretation: str
    label: str | None = None
    lot: str | None = None
    model_version: str
    photograph_kept: bool
    predicted_class: str
    prediction_id: str
    probabilities: dict[str, float]
    recognised: bool
    several: bool | None = None
    summary: InstanceSummary | None = None
    timestamp: datetime


class PredictionPage(BaseModel):
    limit: int
    next: str | None = None
    offset: int
    predictions: list[HistoryItem]
    total: int


class Trace(BaseModel):
    """Output of each step of grading the whole photo, in order."""

    engine: EngineInfo | None = None
    freshness: TracedFreshness | None = None
    fruit: TracedFruit
    level: TracedLevel
    milliseconds: TracedTimes
    photo: TracedPhoto
    rejection: TracedRejection


class TrialAnswer(BaseModel):
    results: list[TrialPhoto | BatchFailure]
    summary: TrialSummary


class VersionThresholds(BaseModel):
    """Freshness thresholds of a version, for each of its fruits with freshness levels."""

    compared_with: str | None = None
    fruits: list[FruitThresholds]
    lacks: list[str]
    others: FreshnessThresholds
    version: str


class Explanation(BaseModel):
    heatmap: str
    trace: Trace | None = None


class Prediction(BaseModel):
    """The grade of one photo."""

    confidence: Annotated[float, Field(ge=0.0, le=1.0)]
    explanation: Explanation | None = None
    freshness: Literal["fresh", "rotten"] | None = None
    freshness_level: Literal["fresh", "past_best", "rotten"] | None = None
    freshness_score: float | None = None
    freshness_thresholds: UsedThresholds | None = None
    fruit: str | None = None
    image: ImageSize | None = None
    inference_time_ms: float
    instances: list[Instance] | None = None
    interpretation: str
    model_version: str
    predicted_class: str
    prediction: str
    prediction_id: str
    probabilities: dict[str, float]
    recognised: bool
    several: bool | None = None
    summary: InstanceSummary | None = None
    timestamp: datetime


class BatchPrediction(Prediction):
    """The grade of one photo in a batch."""

    filename: str
    index: Annotated[int, Field(ge=0)]


class BatchAnswer(BaseModel):
    results: list[BatchPrediction | BatchFailure]
    summary: BatchSummary
