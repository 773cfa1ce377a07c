"""The ASGI application: `uvicorn api.app:app`."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from api import __version__
from api.core.api_keys import ApiKeys
from api.core.background_task import BackgroundTask, running
from api.core.errors import DamagedModelFilesError
from api.core.log_setup import configure_logging
from api.core.metrics_folder import VARIABLE as METRICS_FOLDER
from api.core.metrics_folder import counts_alone
from api.core.process_tuning import resume_garbage_collection, trim_malloc, tune_malloc
from api.http.content_encoding import DecompressionMiddleware
from api.http.endpoints import (
    batch,
    boxed_photos,
    catalog,
    feedback,
    freshness_thresholds,
    health,
    history,
    insights,
    inspection_reports,
    inspections,
    models,
    monitoring,
    predict,
    removed_inspections,
    removed_photos,
    retraining,
    shadow,
    trial,
    triggers,
    version_thresholds,
)
from api.http.graceful_shutdown import DrainingMiddleware, drain_on_sigterm
from api.http.headers import EXPOSED, REQUEST_ID, is_safe_request_id
from api.http.middleware import (
    BodySizeLimitMiddleware,
    BodyTimeoutMiddleware,
    HeadMiddleware,
    RequestMetricsMiddleware,
)
from api.http.page_limit import PageLimitMiddleware
from api.http.problems import HANDLERS, problem_response
from api.http.security.auth import AuthMiddleware, SecurityPolicy
from api.http.security.permissions import describe_security
from api.http.sweep import SWEEP_SECONDS, sweep
from api.model.batcher import DynamicBatcher
from api.model.package import BadPackageError
from api.monitoring.gauges import Gauges
from api.monitoring.nightly_skew import NightlySkew
from api.monitoring.notifications import POLL_SECONDS as NOTIFY_SECONDS
from api.monitoring.notifications import Notifier
from api.predictions.recorder import Recorder
from api.predictions.state import PREFETCH, AppState
from api.registry.model_reloader import POLL_SECONDS, ModelReloader
from api.registry.shadow import POLL_SECONDS as SHADOW_SECONDS
from api.registry.shadow import ShadowFollower
from api.registry.trial import TrialModels
from api.retraining.queue import RunQueue
from api.retraining.run_watcher import POLL_SECONDS as WATCH_SECONDS
from api.retraining.run_watcher import RunWatcher
from api.settings import Settings, get_settings, usable_cores
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database

GAUGE_SECONDS = 60
TRIAL_SECONDS = 10
STORE_SECONDS = 30
HEAP_SECONDS = 2
# For bodies without a photo: a thousand IDs take a twentieth of this.
MAX_JSON_BYTES = 2**20
# Paths, as patterns, that take photos.
ONE_PHOTO = "|".join((predict.PREDICT, insights.AUGMENTATION))
MANY_PHOTOS = "|".join(
    (batch.BATCH, trial.COMPARE, catalog.UPLOADS, boxed_photos.UPLOADS, inspections.UPLOADS_PATTERN)
)
CORS_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
CORS_HEADERS = (
    *("Authorization", "X-API-Key", "Content-Type", "Accept", "Idempotency-Key"),
    REQUEST_ID,
)
# Busiest first, and not nested: FastAPI tries routes one by one, and again at each level.
ROUTERS = (
    predict.router,
    batch.router,
    catalog.router,
    removed_photos.router,
    history.router,
    feedback.router,
    boxed_photos.router,
    inspections.router,
    removed_inspections.router,
    inspection_reports.router,
    models.router,
    trial.router,
    shadow.router,
    insights.router,
    retraining.router,
    monitoring.router,
    monitoring.metrics_router,
    triggers.router,
    freshness_thresholds.router,
    version_thresholds.router,
    health.router,
)
log = logging.getLogger(__name__)


class Service(FastAPI):
    """FastAPI with API keys in its OpenAPI document, under the root path of the settings."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Not uvicorn's own setting, which assumes that the proxy strips the path.
        if scope["type"] == "http" and (root_path := self.state.settings.root_path):
            scope["root_path"] = root_path
            if scope["path"] == root_path:  # People type it without the slash.
                scope["path"] += "/"
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            describe_security(super().openapi())
        return super().openapi()


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service. Without `settings`, they come from the environment."""
    settings = settings or get_settings()
    app = Service(
        title="Ripeline",
        version=__version__,
        summary="Grades fruit from photos.",
        lifespan=partial(_lifespan, settings=settings),
        exception_handlers={**HANDLERS, BadPackageError: _bad_package},
        # `health` serves both: below any root path, and rendered only once.
        docs_url=None,
        openapi_url=None,
        redoc_url=None,
        # The redirect would go to the host and scheme that the request names.
        redirect_slashes=False,
        # `include_router` would analyse each endpoint again, at the first request.
        routes=[route for router in ROUTERS for route in router.routes],
        # FastAPI would look for a tracer at every request; our metrics are in core.telemetry.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.queue = RunQueue(settings)
    _add_middleware(app, settings)
    return app


async def _bad_package(request: Request, error: BadPackageError) -> JSONResponse:
    """Kept out of HANDLERS: `python -m api` imports those before NumPy may be imported."""
    log.error("%s %r: %s", request.method, request.url.path, error)
    request.app.state.service.model_problem = str(error)
    return problem_response(DamagedModelFilesError())


@asynccontextmanager
async def _lifespan(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    # `python -m api` has configured logging; `uvicorn api.app:app` has not.
    if not logging.getLogger().hasHandlers():
        configure_logging(settings.log_level, settings.log_format)
    if counts_alone():
        log.warning(
            "Several processes serve, and %s is not set: /health, /status and /metrics count "
            "the photos of one process. Name a folder, or start them by `python -m api`.",
            METRICS_FOLDER,
        )
    tune_malloc()
    database, blobs = Database(settings.database), Blobs(settings.storage)
    keep_days, threads = settings.keep_predicted_days, settings.inference_threads
    with (
        # Entered first, so closed last: it writes the records of the last requests.
        Recorder(database, blobs, keep_days > 0, sampled_share=settings.sampled_share) as recorder,
        ThreadPoolExecutor(threads, thread_name_prefix="inference") as pool,
    ):
        batcher = DynamicBatcher(
            pool,
            threads,
            settings.max_queue,
            settings.max_wait_seconds,
            in_loop=usable_cores() == threads == 1,
        )
        parts = asyncio.Semaphore(PREFETCH * threads)
        state = AppState(pool, batcher, database, blobs, recorder, parts)
        app.state.service = state
        reloader = ModelReloader(settings, state)
        reloader.start()
        app.state.trial_models = trial_models = TrialModels(settings, state)
        shadows = ShadowFollower(settings, state)
        gauges, skew = Gauges(settings, state), NightlySkew(settings, state)
        watcher = RunWatcher(database)
        tasks = [
            BackgroundTask("model reloader", POLL_SECONDS, reloader.poll_and_log),
            BackgroundTask("shadow", SHADOW_SECONDS, partial(_follow_shadow, shadows)),
            BackgroundTask("sweeper", SWEEP_SECONDS, partial(sweep, database, blobs, settings)),
            BackgroundTask("gauges", GAUGE_SECONDS, gauges.refresh),
            BackgroundTask("skew", GAUGE_SECONDS, skew.refresh),
            BackgroundTask("run watcher", WATCH_SECONDS, partial(_watch_runs, state, watcher)),
            BackgroundTask("trial models", TRIAL_SECONDS, trial_models.release_idle),
            BackgroundTask("store", STORE_SECONDS, blobs.recheck),
            BackgroundTask("heap", HEAP_SECONDS, trim_malloc),
        ]
        if settings.notify:
            tasks.append(_notifying(settings, state))
        with running(*tasks), drain_on_sigterm(state, settings.drain_seconds):
            resume_garbage_collection()
            yield
    app.state.queue.close()
    database.close()


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """From the innermost to the outermost."""
    app.add_middleware(HeadMiddleware)
    app.add_middleware(BodyTimeoutMiddleware, seconds=settings.body_seconds)
    app.add_middleware(
        BodySizeLimitMiddleware,
        limit=min(MAX_JSON_BYTES, settings.max_body_bytes),
        path_limits={
            re.compile(ONE_PHOTO): settings.max_body_bytes,
            re.compile(MANY_PHOTOS): settings.max_upload_bytes,
        },
    )
    app.add_middleware(DecompressionMiddleware)
    app.add_middleware(PageLimitMiddleware, graded=partial(_graded, app))
    app.add_middleware(AuthMiddleware, policy=_security_policy(settings))
    app.add_middleware(RequestMetricsMiddleware)
    app.add_middleware(DrainingMiddleware, is_draining=partial(_is_draining, app))
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=CORS_METHODS,
            allow_headers=CORS_HEADERS,
            expose_headers=EXPOSED,
        )
    app.add_middleware(
        CorrelationIdMiddleware, header_name=REQUEST_ID, validator=is_safe_request_id
    )


def _graded(app: FastAPI) -> int:
    """Photos that this process has graded."""
    state: AppState | None = getattr(app.state, "service", None)
    return state.prediction_count if state else 0


def _is_draining(app: FastAPI) -> bool:
    state: AppState | None = getattr(app.state, "service", None)
    return state is not None and state.draining


def _security_policy(settings: Settings) -> SecurityPolicy:
    rate_limit = None
    if settings.rate_limit:
        # Imported here: slow, and few deployments set a rate limit.
        from api.http.security.rate_limit import RateLimit  # noqa: PLC0415

        rate_limit = RateLimit(settings.rate_limit)
    keys = ApiKeys(
        settings.predict_keys, settings.change_keys, settings.data_keys, settings.models_keys
    )
    return SecurityPolicy(keys, settings.cors_origins, settings.allow_open, rate_limit)


def _follow_shadow(shadows: ShadowFollower) -> None:
    with suppress(*UNAVAILABLE):  # The model reloader logs it.
        shadows.follow()


def _watch_runs(state: AppState, watcher: RunWatcher) -> None:
    """End runs whose worker died, even if no other worker starts."""
    if not state.catalog_problem:
        with suppress(*UNAVAILABLE):  # The model reloader logs it.
            watcher.poll()


def _notifying(settings: Settings, state: AppState) -> BackgroundTask:
    """Sends notifications."""
    notifier = Notifier(state.database, settings)

    def poll() -> None:
        if not state.catalog_problem:
            with suppress(*UNAVAILABLE):
                notifier.poll()

    return BackgroundTask("notifier", NOTIFY_SECONDS, poll)


app = create_app()
