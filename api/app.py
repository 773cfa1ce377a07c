"""The ASGI application: `uvicorn api.app:app`."""

import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from api import __version__
from api.catalog.service import sweep_orphans
from api.core.api_keys import ApiKeys
from api.core.background_task import BackgroundTask
from api.core.log_setup import configure_logging
from api.core.process_tuning import trim_malloc, tune_malloc
from api.http import problems
from api.http.endpoints.batch import BATCH
from api.http.endpoints.batch import router as batch
from api.http.endpoints.catalog import UPLOADS
from api.http.endpoints.catalog import router as dataset
from api.http.endpoints.feedback import router as feedback
from api.http.endpoints.freshness_thresholds import router as freshness
from api.http.endpoints.health import router as health
from api.http.endpoints.history import router as history
from api.http.endpoints.insights import AUGMENTATION
from api.http.endpoints.insights import router as insights
from api.http.endpoints.models import router as models
from api.http.endpoints.monitoring import router as monitoring
from api.http.endpoints.predict import PREDICT
from api.http.endpoints.predict import router as predict
from api.http.endpoints.report import router as report
from api.http.endpoints.retraining import router as retrain
from api.http.endpoints.triggers import router as triggers
from api.http.graceful_shutdown import drain_on_sigterm
from api.http.middleware import (
    REQUEST_ID_HEADER,
    BodySizeLimitMiddleware,
    BodyTimeoutMiddleware,
    RequestMetricsMiddleware,
    is_safe_request_id,
)
from api.http.security.auth import AuthMiddleware, SecurityPolicy
from api.http.security.permissions import describe_guard
from api.model.batcher import DynamicBatcher
from api.monitoring.gauges import Gauges
from api.predictions.recorder import Recorder
from api.predictions.retention import sweep_predicted
from api.predictions.state import AppState
from api.registry.model_reloader import ModelReloader
from api.retraining.queue import RunQueue
from api.settings import Settings, get_settings
from api.storage.blobs import Blobs
from api.storage.db import Database

SWEEP_SECONDS = 3600
GAUGE_SECONDS = 60
HEAP_SECONDS = 2
# Of a body that is no photograph: a thousand ids take a twentieth of it.
JSON_BYTES = 2**20
# What pages of other sites may do where CORS is open for them.
CORS_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CORS_HEADERS = ("Authorization", "X-API-Key", "Content-Type", "Accept", REQUEST_ID_HEADER)
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
        # `python -m api` has configured logging; `uvicorn api.app:app` has not.
        if not logging.getLogger().hasHandlers():
            configure_logging(chosen.log_level, chosen.log_format)
        tune_malloc()
        database, blobs = Database(chosen.database), Blobs(chosen.storage)
        keep_days = chosen.keep_predicted_days
        with (
            # Entered first and so left last: it writes what the last requests leave.
            Recorder(database, blobs, keep_days > 0) as recorder,
            ThreadPoolExecutor(chosen.inference_threads, thread_name_prefix="inference") as pool,
        ):
            threads = chosen.inference_threads
            batcher = DynamicBatcher(pool, threads, chosen.max_queue, chosen.max_wait_seconds)
            app.state.service = AppState(pool, batcher, database, blobs, recorder)
            watcher = ModelReloader(chosen, app.state.service)
            watcher.start()
            gauges = Gauges(chosen, app.state.service)
            with (
                BackgroundTask(
                    "sweeper", SWEEP_SECONDS, partial(_sweep, database, blobs, keep_days)
                ),
                BackgroundTask("gauges", GAUGE_SECONDS, gauges.refresh),
                BackgroundTask("heap", HEAP_SECONDS, trim_malloc),
                drain_on_sigterm(app.state.service, chosen.drain_seconds),
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
    app.add_middleware(BodyTimeoutMiddleware, seconds=chosen.body_seconds)
    app.add_middleware(
        BodySizeLimitMiddleware,
        limit=min(JSON_BYTES, chosen.max_body_bytes),
        limits={
            **dict.fromkeys((PREDICT, AUGMENTATION), chosen.max_body_bytes),
            **dict.fromkeys((UPLOADS, BATCH), chosen.max_upload_bytes),
        },
    )
    app.add_middleware(AuthMiddleware, rules=_rules(chosen))
    app.add_middleware(RequestMetricsMiddleware)
    if chosen.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=chosen.cors_origins,
            allow_methods=CORS_METHODS,
            allow_headers=CORS_HEADERS,
            expose_headers=(REQUEST_ID_HEADER,),
        )
    # Last, so outermost: what the others answer and log has the id too.
    app.add_middleware(
        CorrelationIdMiddleware, header_name=REQUEST_ID_HEADER, validator=is_safe_request_id
    )
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


def _rules(settings: Settings) -> SecurityPolicy:
    rate = None
    if settings.rate_limit:
        from api.http.security.rate_limit import RateLimit  # noqa: PLC0415  (few deployments want to wait for it)

        rate = RateLimit(settings.rate_limit)
    keys = ApiKeys(settings.predict_keys, settings.change_keys)
    return SecurityPolicy(keys, settings.cors_origins, settings.allow_open, rate)


def _sweep(database: Database, blobs: Blobs, keep_days: float) -> None:
    """Photographs that are kept no longer, and what a process that died left behind."""
    sweep_predicted(database, blobs, keep_days)
    sweep_orphans(database, blobs)


app = create_app()
