"""The ASGI application: `uvicorn api.app:app`."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from api import __version__, problems
from api.blobs import Blobs
from api.body_limit import BodyLimit
from api.dataset.endpoints import UPLOADS
from api.dataset.removing import sweep_orphans
from api.db import Database
from api.draining import draining
from api.health.state import ServiceState
from api.history.retention import sweep_predicted
from api.jobs.queue import RunQueue
from api.monitoring.gauges import Gauges
from api.periodic import Periodic
from api.predict.batch_endpoint import BATCH
from api.predict.line import Line
from api.predict.recorder import Recorder
from api.registry.watcher import Watcher
from api.routes import router
from api.settings import Settings, get_settings
from api.slow_body import SlowBody
from api.timing import Timing

SWEEP_SECONDS = 3600
GAUGE_SECONDS = 60


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service. Without `settings`, they come from the environment."""
    chosen = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database, blobs = Database(chosen.database), Blobs(chosen.storage)
        keep_days = chosen.keep_predicted_days
        with (
            # Entered first and so left last: it writes what the last requests leave.
            Recorder(database, blobs, keep_days > 0) as recorder,
            ThreadPoolExecutor(chosen.inference_threads, thread_name_prefix="inference") as pool,
        ):
            line = Line(pool, chosen.max_queue, chosen.max_wait_seconds)
            app.state.service = ServiceState(pool, line, database, blobs, recorder)
            watcher = Watcher(chosen, app.state.service)
            watcher.start()
            gauges = Gauges(chosen, app.state.service)
            with (
                Periodic("sweeper", SWEEP_SECONDS, partial(_sweep, database, blobs, keep_days)),
                Periodic("gauges", GAUGE_SECONDS, gauges.refresh),
                draining(app.state.service, chosen.drain_seconds),
            ):
                yield
            watcher.stop()
        app.state.queue.close()
        database.close()

    app = FastAPI(
        title="Ripeline",
        version=__version__,
        summary="Grades fruit from photographs.",
        lifespan=lifespan,
    )
    app.state.settings = chosen
    app.state.queue = RunQueue(chosen)
    app.add_middleware(SlowBody, seconds=chosen.body_seconds)
    app.add_middleware(
        BodyLimit,
        limit=chosen.max_body_bytes,
        limits={UPLOADS: chosen.max_upload_bytes, BATCH: chosen.max_upload_bytes},
    )
    app.add_middleware(Timing)
    problems.install(app)
    app.include_router(router)
    return app


def _sweep(database: Database, blobs: Blobs, keep_days: float) -> None:
    """Photographs that are kept no longer, and what a process that died left behind."""
    sweep_predicted(database, blobs, keep_days)
    sweep_orphans(database, blobs)


app = create_app()
