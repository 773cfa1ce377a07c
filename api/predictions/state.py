"""The state of one API process."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from api.core import telemetry
from api.core.errors import ModelUnavailableError
from api.core.freshness_levels import LevelThresholds
from api.model.batcher import DynamicBatcher
from api.model.grade import Grade
from api.model.predictor import Predictor
from api.predictions.record import Record
from api.predictions.recorder import Recorder
from api.predictions.schemas import Prediction
from api.storage.blobs import Blobs
from api.storage.db import Database

# Parts of long requests for each inference thread: one running, one queued.
PREFETCH = 2
_Value = TypeVar("_Value")


@dataclass
class AppState:
    """The loaded model, its threads, the catalog, and the counters of this process.

    `predictor` is None if no model could be loaded. `model_problem` says for the log why the
    champion is not loaded or what is wrong with its files, `catalog_problem` for `/status` why the
    catalog is not open. `champion_since` is when the loaded version became champion, if known.
    `user_thresholds` are the freshness thresholds last read from the catalog, `fruit_thresholds`
    those of single fruits, by version. `shadow` takes the photo of an answered prediction to a
    version that grades beside the one in use; None without one. `draining`: the process is shutting
    down. `parts` bounds the parts of long requests in `pool`, PREFETCH for each thread.
    `augmenting` is held while a photo is augmented: one at a time.
    """

    pool: ThreadPoolExecutor
    batcher: DynamicBatcher
    database: Database
    blobs: Blobs
    recorder: Recorder
    parts: asyncio.Semaphore
    predictor: Predictor | None = None
    model_problem: str = ""
    catalog_problem: str = ""
    champion_since: datetime | None = None
    user_thresholds: LevelThresholds | None = None
    fruit_thresholds: Mapping[str, Mapping[str, LevelThresholds]] = field(default_factory=dict)
    shadow: Callable[[bytes, Prediction], Awaitable[None]] | None = None
    prediction_count: int = 0
    draining: bool = False
    started: float = field(default_factory=time.monotonic)
    augmenting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def graded(self) -> int:
        """Photos graded since the start, by all processes that count together."""
        folder = telemetry.shared_folder()
        if folder is None:
            return self.prediction_count
        return max(self.prediction_count, telemetry.predictions_of_all(folder))

    @property
    def uptime_seconds(self) -> float:
        return round(time.monotonic() - self.started, 3)

    def serving(self) -> Predictor:
        """The loaded model. Raises ModelUnavailableError."""
        if self.predictor is None:
            raise ModelUnavailableError()
        return self.predictor

    async def run_part(self, function: Callable[..., _Value], *values: object) -> _Value:
        """Run a part of a long request in the inference threads.

        However many such requests there are, a prediction waits for few of their parts.
        """
        async with self.parts:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self.pool, function, *values)

    def build_response(
        self,
        grade: Grade,
        version: str,
        filename: str,
        batch_id: str | None = None,
        prediction_id: str | None = None,
    ) -> Prediction:
        """The response for a grade, counted and queued to be recorded. Does not block.

        A `prediction_id` that is recorded already is not recorded again.
        """
        prediction = self.count_prediction(grade, version)
        prediction.prediction_id = prediction_id or prediction.prediction_id
        self.recorder.put(Record.of(prediction, grade, filename, batch_id))
        return prediction

    def count_prediction(self, grade: Grade, version: str) -> Prediction:
        """The prediction of a grade, counted. Does not block."""
        prediction = Prediction.of_grade(grade, version)
        self.prediction_count += 1
        telemetry.count_prediction(
            prediction.predicted_class,
            prediction.confidence,
            prediction.recognised,
            version,
            prediction.inference_time_ms,
        )
        return prediction
