"""What one API process knows of itself."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from api.blobs import Blobs
from api.db import Database
from api.errors import ModelUnavailableError
from api.predict.recorder import Recorder
from api.predict.runtime import Runtime


@dataclass
class ServiceState:
    """The loaded grader, the threads that run it, the catalog, and the counters of this process.

    `runtime` is None where no model could be loaded; `model_problem` then says why, for the log.
    """

    pool: ThreadPoolExecutor
    database: Database
    blobs: Blobs
    recorder: Recorder
    runtime: Runtime | None = None
    model_problem: str = ""
    prediction_count: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def uptime_seconds(self) -> float:
        return round(time.monotonic() - self.started, 3)

    def serving(self) -> Runtime:
        """The grader that serves. Raises ModelUnavailableError."""
        if self.runtime is None:
            raise ModelUnavailableError()
        return self.runtime
