"""What one API process knows of itself."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from api.core.errors import ModelUnavailableError
from api.core.freshness_levels import LevelThresholds
from api.model.batcher import DynamicBatcher
from api.model.predictor import Predictor
from api.predictions.recorder import Recorder
from api.storage.blobs import Blobs
from api.storage.db import Database


@dataclass
class AppState:
    """The loaded grader, the threads that run it, the catalog, and the counters of this process.

    `runtime` is None where no model could be loaded; `model_problem` says why it is not the
    champion, `catalog_problem` why the catalog has not been opened yet: both for the log.
    `champion_since` is when the version that serves became champion, where that is known.
    `user_thresholds` are the freshness thresholds that the catalog had last. `draining` says that
    the process is about to end.
    """

    pool: ThreadPoolExecutor
    line: DynamicBatcher
    database: Database
    blobs: Blobs
    recorder: Recorder
    runtime: Predictor | None = None
    model_problem: str = ""
    catalog_problem: str = ""
    champion_since: datetime | None = None
    user_thresholds: LevelThresholds | None = None
    prediction_count: int = 0
    draining: bool = False
    started: float = field(default_factory=time.monotonic)

    @property
    def uptime_seconds(self) -> float:
        return round(time.monotonic() - self.started, 3)

    def serving(self) -> Predictor:
        """The grader that serves. Raises ModelUnavailableError."""
        if self.runtime is None:
            raise ModelUnavailableError()
        return self.runtime
