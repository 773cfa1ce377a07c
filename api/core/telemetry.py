"""All Prometheus metrics.

Several processes on one machine add up their metrics in the folder PROMETHEUS_MULTIPROC_DIR, which
`python -m api` makes for those of WEB_CONCURRENCY.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Literal

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

from api.core.errors import NotFiniteError, ProblemError
from api.core.metrics_folder import VARIABLE

# With several processes, the value set last counts.
MOST_RECENT: Literal["livemostrecent"] = "livemostrecent"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Counter("ripeline_requests", "Requests answered.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "ripeline_request_seconds", "From the first byte to the last.", ["route"], buckets=_SECONDS
)
PREDICTIONS = Counter(
    "ripeline_predictions", "Photographs graded.", ["class_name", "version", "recognised"]
)
CONFIDENCE = Histogram(
    "ripeline_prediction_confidence",
    "Calibrated probability of the predicted class.",
    buckets=(0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1),
)
NOT_FINITE = Counter(
    "ripeline_not_finite", "Photographs for which the model gave NaN or an infinite number."
)
INFERENCE_SECONDS = Histogram(
    "ripeline_inference_seconds",
    "Decoding, forward pass and head of one photograph.",
    buckets=(0.002, 0.004, 0.006, 0.008, 0.012, 0.016, 0.025, 0.05, 0.1, 0.25, 1),
)
RECORDER_QUEUE = Gauge(
    "ripeline_recorder_queue", "Predictions that wait to be recorded.", multiprocess_mode="livesum"
)
RECORDER_DROPPED = Counter(
    "ripeline_recorder_dropped", "Photographs and records dropped for lack of room.", ["what"]
)
CHAMPION = Gauge(
    "ripeline_champion_info",
    "1 for the version that serves.",
    ["version"],
    multiprocess_mode=MOST_RECENT,
)
CHAMPION_CREATED = Gauge(
    "ripeline_champion_created_timestamp_seconds",
    "When the grader that serves was made, in seconds since 1970; 0 without one.",
    multiprocess_mode=MOST_RECENT,
)
DEPENDENCY_CHANGED = Gauge(
    "ripeline_dependency_changed",
    "1 if the library has another version than when the grader that serves was made.",
    ["library"],
    multiprocess_mode=MOST_RECENT,
)
ENGINE_SECONDS = Gauge(
    "ripeline_engine_seconds",
    "One photo's forward pass, timed when the serving version was loaded; 0 for a former engine.",
    ["engine", "precision"],
    multiprocess_mode=MOST_RECENT,
)
RUNS = Gauge(
    "ripeline_training_runs", "Training runs by state.", ["state"], multiprocess_mode=MOST_RECENT
)
RUN_ACTIVE = Gauge(
    "ripeline_training_run_active",
    "1 while a training run is queued or running.",
    multiprocess_mode=MOST_RECENT,
)
NOTIFICATIONS = Gauge(
    "ripeline_notifications",
    "Notifications: sent, and failed for at least one receiver.",
    ["outcome"],
    multiprocess_mode=MOST_RECENT,
)
DRIFT = Gauge("ripeline_drift", "Each drift figure.", ["figure"], multiprocess_mode=MOST_RECENT)
DRIFT_THRESHOLD = Gauge(
    "ripeline_drift_threshold",
    "The threshold of each drift figure.",
    ["figure"],
    multiprocess_mode=MOST_RECENT,
)
ACCURACY_IN_USE = Gauge(
    "ripeline_accuracy_in_use",
    "Share of the serving version's randomly sampled predictions that people found right; NaN "
    "without answers.",
    multiprocess_mode=MOST_RECENT,
)
ACCURACY_BELOW_HELD_OUT = Gauge(
    "ripeline_accuracy_below_held_out",
    "1 if that is significantly below its accuracy on held-out photos.",
    multiprocess_mode=MOST_RECENT,
)
SHADOW_PHOTOS = Gauge(
    "ripeline_shadow_photos",
    "Photos that the shadow version graded beside the one in use: same, different, failed.",
    ["outcome"],
    multiprocess_mode=MOST_RECENT,
)
SHADOW_AGREEMENT = Gauge(
    "ripeline_shadow_agreement",
    "Share of photos that it graded the same; NaN without a shadow version.",
    multiprocess_mode=MOST_RECENT,
)
SHADOW_BELOW_MIN = Gauge(
    "ripeline_shadow_below_min",
    "1 if that is significantly below RIPELINE_SHADOW_MIN_AGREEMENT.",
    multiprocess_mode=MOST_RECENT,
)
SHADOW_DROPPED = Counter(
    "ripeline_shadow_dropped", "Photos for which the shadow version had no room."
)
SKEW_PHOTOS = Gauge(
    "ripeline_skew_photos",
    "Photos on which training and serving were last compared.",
    multiprocess_mode=MOST_RECENT,
)
SKEW_SAME_CLASS = Gauge(
    "ripeline_skew_same_class",
    "Share of them that keep the class that was learned; NaN for fewer than 20.",
    multiprocess_mode=MOST_RECENT,
)
SKEW_FOUND = Gauge(
    "ripeline_skew_found",
    "1 if serving differs from what was learned; NaN while too few were compared.",
    multiprocess_mode=MOST_RECENT,
)
PHOTOS_REFUSED = Counter(
    "ripeline_photos_refused",
    "Photographs refused, for grading or for learning, by the code of the error.",
    ["reason"],
)
# Starts at 0, so that the first refusal for a reason shows as an increase.
for _reason in (
    "not-an-image",
    "truncated-image",
    "empty-image",
    "image-too-large",
    "body-too-large",
):
    PHOTOS_REFUSED.labels(_reason)
UPLOADS = Counter("ripeline_uploads", "Files sent to learn from.", ["outcome"])
FEEDBACK = Counter("ripeline_feedback", "Feedback on predictions.", ["correct"])


class MetricsFolderMissingError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "metrics-folder-missing"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"The folder {folder} ({VARIABLE}), in which the processes of this service add up "
            "their metrics, is gone. Make it again and restart the service."
        )


def registry() -> CollectorRegistry:
    """The metrics of this process, or of all that share its folder.

    Raises MetricsFolderMissingError.
    """
    folder = shared_folder()
    if folder is None:
        return REGISTRY
    if not folder.is_dir():
        raise MetricsFolderMissingError(folder)
    _forget_dead_processes(folder)
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


def shared_folder() -> Path | None:
    """Where several processes add up their metrics; None for one alone."""
    folder = os.environ.get(VARIABLE)
    return Path(folder) if folder else None


def predictions_of_all(folder: Path) -> int:
    """Photos graded by all processes of the folder, those that have ended included."""
    files = [str(file) for file in folder.glob("counter_*.db")]
    metrics = multiprocess.MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
    return int(
        sum(
            sample.value
            for metric in metrics
            if metric.name == "ripeline_predictions"
            for sample in metric.samples
        )
    )


def _forget_dead_processes(folder: Path) -> None:
    """Drop the gauges of ended processes: their queues, and the versions they served, are gone."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not _is_alive(int(pid)):
            multiprocess.mark_process_dead(int(pid), str(folder))  # type: ignore[no-untyped-call]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def exposition() -> bytes:
    """All metrics in the Prometheus text format."""
    return generate_latest(registry())


def count_prediction(
    class_name: str, confidence: float, recognised: bool, version: str, ms: float
) -> None:
    PREDICTIONS.labels(class_name, version, "yes" if recognised else "no").inc()
    CONFIDENCE.observe(confidence)
    INFERENCE_SECONDS.observe(ms / 1000)


@contextmanager
def counting_failures(*, recorded: bool = True) -> Iterator[None]:
    """Count a photo as failed if accepting or grading it raises a ProblemError.

    If the prediction is not `recorded`, only a NotFiniteError counts.
    """
    try:
        yield
    except ProblemError as error:
        if recorded or isinstance(error, NotFiniteError):
            count_failure(error)
        raise


def count_failure(error: ProblemError) -> None:
    """Count the failure of one photo, but not that of an overloaded or unavailable service."""
    if isinstance(error, NotFiniteError):
        NOT_FINITE.inc()
    elif error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        PHOTOS_REFUSED.labels(error.code).inc()


def count_upload(stored: int, duplicate: int, reasons: Sequence[str]) -> None:
    """Photos, with or without boxes; `reasons` are the codes of those that were refused."""
    counts = {"stored": stored, "duplicate": duplicate, "refused": len(reasons)}
    for outcome, count in counts.items():
        UPLOADS.labels(outcome).inc(count)
    for reason in reasons:
        PHOTOS_REFUSED.labels(reason).inc()


def server_errors() -> int:
    """Number of 5xx responses since the processes started."""
    return int(
        sum(
            sample.value
            for metric in registry().collect()
            if metric.name == "ripeline_requests"
            for sample in metric.samples
            if sample.name.endswith("_total") and sample.labels["status"].startswith("5")
        )
    )
