"""The ASGI application: `uvicorn api.app:app`."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from api import __version__, problems
from api.blobs import Blobs
from api.dataset.endpoints import UPLOADS
from api.dataset.endpoints import router as dataset
from api.dataset.removing import sweep_orphans
from api.db import Database
from api.draining import draining
from api.feedback.endpoints import router as feedback
from api.freshness.endpoints import router as freshness
from api.guard.keys import ApiKeys
from api.guard.middleware import AuthMiddleware, SecurityPolicy
from api.guard.permissions import describe_guard
from api.health.endpoints import router as health
from api.health.state import ServiceState
from api.history.endpoints import router as history
from api.history.retention import sweep_predicted
from api.insights.endpoints import AUGMENTATION
from api.insights.endpoints import router as insights
from api.jobs.queue import RunQueue
from api.middleware import BodyLimit, SlowBody, Timing
from api.monitoring.endpoints import router as monitoring
from api.monitoring.gauges import Gauges
from api.monitoring.triggers.endpoints import router as triggers
from api.periodic import Periodic
from api.predict.batch_endpoint import BATCH
from api.predict.batch_endpoint import router as batch
from api.predict.endpoints import PREDICT
from api.predict.endpoints import router as predict
from api.predict.line import Line
from api.predict.recorder import Recorder
from api.registry.endpoints import router as models
from api.registry.watcher import Watcher
from api.report.endpoints import router as report
from api.retrain.endpoints import router as retrain
from api.settings import Settings, get_settings
from api.tuning import trim_malloc, tune_malloc

SWEEP_SECONDS = 3600
GAUGE_SECONDS = 60
HEAP_SECONDS = 2
# Of a body that is no photograph: a thousand ids take a twentieth of it.
JSON_BYTES = 2**20
# What pages of other sites may do where CORS is open for them.
CORS_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CORS_HEADERS = ("Authorization", "X-API-Key", "Content-Type", "Accept")
# The hot path first, and none inside another: FastAPI matches at each level anew.
ROUTERS = (
    predict,
    batch,
    dataset,
    history,
    feedback,
    models,
    insights,
    report,
    retrain,
    monitoring,
    triggers,
    freshness,
    health,
)


class Service(FastAPI):
    """FastAPI, whose description also says what the guard in front of the routes asks for."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            describe_guard(super().openapi())
        return super().openapi()


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service. Without `settings`, they come from the environment."""
    chosen = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        tune_malloc()
        database, blobs = Database(chosen.database), Blobs(chosen.storage)
        keep_days = chosen.keep_predicted_days
        with (
            # Entered first and so left last: it writes what the last requests leave.
            Recorder(database, blobs, keep_days > 0) as recorder,
            ThreadPoolExecutor(chosen.inference_threads, thread_name_prefix="inference") as pool,
        ):
            threads = chosen.inference_threads
            line = Line(pool, threads, chosen.max_queue, chosen.max_wait_seconds)
            app.state.service = ServiceState(pool, line, database, blobs, recorder)
            watcher = Watcher(chosen, app.state.service)
            watcher.start()
            gauges = Gauges(chosen, app.state.service)
            with (
                Periodic("sweeper", SWEEP_SECONDS, partial(_sweep, database, blobs, keep_days)),
                Periodic("gauges", GAUGE_SECONDS, gauges.refresh),
                Periodic("heap", HEAP_SECONDS, trim_malloc),
                draining(app.state.service, chosen.drain_seconds),
            ):
                yield
            watcher.stop()
        app.state.queue.close()
        database.close()

    app = Service(
        title="Ripeline",
        version=__version__,
        summary="Grades fruit from photographs.",
        lifespan=lifespan,
        redoc_url=None,
        # What is measured stands in `metrics`; FastAPI would look for a tracer at every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = chosen
    app.state.queue = RunQueue(chosen)
    app.add_middleware(SlowBody, seconds=chosen.body_seconds)
    app.add_middleware(
        BodyLimit,
        limit=min(JSON_BYTES, chosen.max_body_bytes),
        limits={
            **dict.fromkeys((PREDICT, AUGMENTATION), chosen.max_body_bytes),
            **dict.fromkeys((UPLOADS, BATCH), chosen.max_upload_bytes),
        },
    )
    app.add_middleware(AuthMiddleware, rules=_rules(chosen))
    app.add_middleware(Timing)
    if chosen.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=chosen.cors_origins,
            allow_methods=CORS_METHODS,
            allow_headers=CORS_HEADERS,
        )
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


def _rules(settings: Settings) -> SecurityPolicy:
    rate = None
    if settings.rate_limit:
        from api.guard.rate import RateLimit  # noqa: PLC0415  (few deployments want to wait for it)

        rate = RateLimit(settings.rate_limit)
    keys = ApiKeys(settings.predict_keys, settings.change_keys)
    return SecurityPolicy(keys, settings.cors_origins, settings.allow_open, rate)


def _sweep(database: Database, blobs: Blobs, keep_days: float) -> None:
    """Photographs that are kept no longer, and what a process that died left behind."""
    sweep_predicted(database, blobs, keep_days)
    sweep_orphans(database, blobs)


app = create_app()
