"""The API's endpoints as methods."""

from collections.abc import Sequence
from typing import Any, Literal

import errors
import httpx
from api_models import (
    AccuracyInUse,
    Augmentation,
    BatchFailure,
    BatchPrediction,
    BoxesAnswer,
    DatasetInsights,
    DatasetSummary,
    Drift,
    EmbeddingMap,
    Estimate,
    FeedbackAnswer,
    Health,
    ImagePage,
    ModelInfo,
    Prediction,
    Relabelled,
    RetrainStarted,
    ReviewAnswer,
    ReviewQueue,
    Run,
    Runs,
    Status,
    Summary,
    UploadReport,
    VersionAccuracies,
)
from http_client import HttpClient
from photos import Photo
from pydantic import BaseModel, RootModel

Mode = Literal["fast", "full", "detector"]
DetectorOption = Literal["auto", "keep", "train"]
# The options of a run that a person may choose.
_RUN_OPTIONS = {"architecture", "epochs", "detector", "classes"}
# The API's code for a model that cannot find single fruits.
NO_DETECTOR = "no-detector"
# Seconds to wait for the grade of a live camera's frame: after that, the camera shows another
# scene.
FRAME_TIMEOUT = 10.0


class BatchEnd(BaseModel):
    """The last line of a batch. Without it, the response was cut off."""

    summary: dict[str, object]


class BatchLine(RootModel[BatchPrediction | BatchFailure | BatchEnd]):
    """One line of the NDJSON that `/predict/batch` returns."""


class ApiClient(HttpClient):
    """The API's endpoints."""

    def __init__(
        self,
        address: str,
        *,
        timeout: float,
        health_timeout: float,
        key: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(address, timeout=timeout, key=key, transport=transport)
        self._health_timeout = health_timeout

    def health(self) -> Health:
        """Uses the short `health_timeout`."""
        return self.call(Health, "GET", "/health", timeout=self._health_timeout)

    def status(self) -> Status:
        return self.call(Status, "GET", "/status")

    def model_info(self) -> ModelInfo:
        return self.call(ModelInfo, "GET", "/model-info")

    def finds_fruits(self) -> bool:
        """Whether the model in use finds each fruit of a photo."""
        model = self.model_info().model_info
        return model is not None and bool(model.finds_fruits)

    # Predictions and feedback. With `instances`, each fruit of a photo is graded too, unless the
    # model in use by then cannot find fruits.

    def predict(
        self,
        name: str,
        data: bytes,
        *,
        explain: bool = False,
        prediction_id: str = "",
        instances: bool = False,
        record: bool = True,
    ) -> Prediction:
        """Grade one photo; `name` is its file name.

        `prediction_id` is that of an earlier prediction of this photo, which `explain` is about.
        Without `record`, the API forgets the photo and its grade.
        """
        asked = {"explain": "true"} if explain else {}
        if not record:
            asked["record"] = "false"
        if prediction_id:
            asked["prediction_id"] = prediction_id
        try:
            return self.call(
                Prediction,
                "POST",
                "/predict",
                files={"file": (name, data)},
                params=asked | _instances(instances) or None,
            )
        except errors.ApiError as error:
            if not instances or error.code != NO_DETECTOR:
                raise
        return self.predict(name, data, explain=explain, prediction_id=prediction_id, record=record)

    def predict_frame(self, data: bytes, *, instances: bool) -> Prediction:
        """Grade a frame of a live camera; nothing is recorded."""
        try:
            return self.call(
                Prediction,
                "POST",
                "/predict",
                files={"file": ("frame.jpg", data)},
                params={"record": "false"} | _instances(instances),
                timeout=FRAME_TIMEOUT,
            )
        except errors.ApiError as error:
            if not instances or error.code != NO_DETECTOR:
                raise
        return self.predict_frame(data, instances=False)

    def predict_batch(
        self, photos: Sequence[Photo], *, batch_id: str, key: str, instances: bool = False
    ) -> list[BatchPrediction | BatchFailure]:
        """Grade photos and zips of photos: a result for each, in order.

        `batch_id` is that of the batch they belong to, 32 hexadecimal digits. Photos that are sent
        again with the same `key` are recorded once.
        """
        params = {"batch_id": batch_id} | _instances(instances)
        headers = {"Idempotency-Key": key}
        form = {"files": _form_files(photos), "params": params}
        try:
            sent = self.lines(BatchLine, "POST", "/predict/batch", headers=headers, **form)
            lines = [line.root for line in sent]
        except errors.ApiError as error:
            if not instances or error.code != NO_DETECTOR:
                raise
            return self.predict_batch(photos, batch_id=batch_id, key=key)
        if not lines or not isinstance(lines[-1], BatchEnd):
            raise errors.unreachable(self.address)
        return [line for line in lines if not isinstance(line, BatchEnd)]

    # In all of these, `new_class` says that the class is new although its name resembles a known
    # one.

    def send_feedback(
        self, prediction_id: str, label: str | None, *, new_class: bool = False
    ) -> FeedbackAnswer:
        """Send the right class of a prediction; None confirms the predicted one."""
        body = {"correct": True} if label is None else {"label": label, **_flag(new_class)}
        return self.call(
            FeedbackAnswer, "POST", f"/predictions/{prediction_id}/feedback", json=body
        )

    def put_boxes(self, prediction_id: str, body: dict[str, Any]) -> BoxesAnswer:
        """Send all fruits of a prediction's photo; `corrections.as_body` makes the body."""
        return self.call(BoxesAnswer, "PUT", f"/predictions/{prediction_id}/boxes", json=body)

    def accuracy_in_use(self) -> list[AccuracyInUse]:
        """The accuracy of each version that was in use, newest first."""
        return self.call(VersionAccuracies, "GET", "/monitoring/accuracy").versions

    def review_queue(self, limit: int) -> ReviewQueue:
        """Up to `limit` predictions, those most worth labelling first."""
        return self.call(ReviewQueue, "GET", "/review-queue", params={"limit": limit})

    def confirm_labels(self, labels: dict[str, str], *, new_class: bool = False) -> ReviewAnswer:
        """Label 1 to 200 predictions, by id."""
        items = [
            {"prediction_id": name, "label": label, **_flag(new_class)}
            for name, label in labels.items()
        ]
        return self.call(ReviewAnswer, "POST", "/review-queue", json={"items": items})

    # Training data

    def upload_training_data(
        self, photos: Sequence[Photo], class_name: str | None, *, new_class: bool = False
    ) -> UploadReport:
        """Add photos or zips of photos; without a class, folders in the zips name the classes."""
        fields = {"class_name": class_name} if class_name else {}
        return self.call(
            UploadReport,
            "POST",
            "/upload-training-data",
            files=_form_files(photos),
            data=fields | ({"new_class": "true"} if new_class else {}),
        )

    def dataset_summary(self) -> DatasetSummary:
        return self.call(DatasetSummary, "GET", "/dataset/summary")

    def training_images(
        self,
        *,
        class_name: str | None,
        split: str | None,
        origin: str | None,
        offset: int,
        limit: int,
    ) -> ImagePage:
        """A page of the catalog, newest first; a filter of None does not filter."""
        filters = {"class_name": class_name, "split": split, "origin": origin}
        params = {name: value for name, value in filters.items() if value is not None}
        return self.call(
            ImagePage, "GET", "/dataset/images", params=params | {"offset": offset, "limit": limit}
        )

    def relabel_images(
        self,
        ids: Sequence[str],
        class_name: str,
        *,
        new_class: bool = False,
        only_from: str | None = None,
    ) -> Relabelled:
        """Give up to 1000 images another class; with `only_from`, only those that have this
        class."""
        only = {"only_from": only_from} if only_from else {}
        return self.call(
            Relabelled,
            "POST",
            "/dataset/images/relabel",
            json={"ids": list(ids), "class_name": class_name, **_flag(new_class), **only},
        )

    def dataset_insights(self) -> DatasetInsights:
        return self.call(DatasetInsights, "GET", "/insights/dataset")

    def embedding_map(self, limit: int) -> EmbeddingMap:
        return self.call(EmbeddingMap, "GET", "/insights/map", params={"limit": limit})

    def augment_image(self, image_id: str, seed: int) -> Augmentation:
        params = {"image_id": image_id, "seed": seed}
        return self.call(Augmentation, "GET", "/insights/augmentation", params=params)

    def augment_photo(self, photo: Photo, seed: int) -> Augmentation:
        return self.call(
            Augmentation,
            "POST",
            "/insights/augmentation",
            params={"seed": seed},
            files={"file": (photo.name, photo.data)},
        )

    # Retraining

    def estimate(self) -> Estimate:
        return self.call(Estimate, "GET", "/retrain/estimate")

    def runs(self, limit: int) -> Runs:
        return self.call(Runs, "GET", "/runs", params={"limit": limit})

    def newest_run(self) -> Run | None:
        """The active run, or the last one; None before the first."""
        runs = self.runs(1).runs
        return runs[0] if runs else None

    def start_run(self, mode: Mode, detector: DetectorOption) -> RetrainStarted:
        body = {"mode": mode, "detector": detector}
        return self.call(RetrainStarted, "POST", "/retrain", json=body)

    def start_again(self, run: Run) -> RetrainStarted:
        """Start a run with the options of one that has ended."""
        options = {name: value for name, value in run.options.items() if name in _RUN_OPTIONS}
        return self.call(RetrainStarted, "POST", "/retrain", json={"mode": run.mode, **options})

    def cancel_run(self, run_id: str) -> Run:
        return self.call(Run, "POST", f"/runs/{run_id}/cancel")

    # Monitoring

    def monitoring_summary(self, hours: float) -> Summary:
        return self.call(Summary, "GET", "/monitoring/summary", params={"hours": hours})

    def drift(self) -> Drift:
        return self.call(Drift, "GET", "/drift")


def photo_path(image_id: str) -> str:
    """The path of a training image's photo at the API."""
    return f"/dataset/images/{image_id}/photograph"


def _form_files(photos: Sequence[Photo]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", (photo.name, photo.data)) for photo in photos]


def _instances(wanted: bool) -> dict[str, str]:
    return {"instances": "true"} if wanted else {}


def _flag(new_class: bool) -> dict[str, bool]:
    return {"new_class": True} if new_class else {}
