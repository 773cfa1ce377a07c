"""The ASGI application: `uvicorn api.app:app`."""

import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import __version__, problems
from api.blobs import Blobs
from api.body_limit import BodyLimit
from api.dataset.endpoints import UPLOADS
from api.dataset.removing import sweep_orphans
from api.db import Database
from api.health.state import ServiceState
from api.predict.runtime import Runtime
from api.registry.package import BadPackageError, load_package
from api.routes import router
from api.settings import Settings, get_settings

log = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service. Without `settings`, they come from the environment."""
    chosen = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        threads = chosen.inference_threads
        database, blobs = Database(chosen.database), Blobs(chosen.storage)
        database.upgrade()
        with (
            ThreadPoolExecutor(threads, thread_name_prefix="inference") as pool,
            ThreadPoolExecutor(1, thread_name_prefix="sweep") as sweeping,
        ):
            sweeping.submit(_sweep, database, blobs)
            app.state.service = _start(chosen, ServiceState(pool, database, blobs), threads)
            yield
        database.close()

    app = FastAPI(
        title="Ripeline",
        version=__version__,
        summary="Grades fruit from photographs.",
        lifespan=lifespan,
    )
    app.state.settings = chosen
    app.add_middleware(
        BodyLimit,
        limit=chosen.max_body_bytes,
        limits={UPLOADS: chosen.max_upload_bytes},
    )
    problems.install(app)
    app.include_router(router)
    return app


def _start(settings: Settings, state: ServiceState, threads: int) -> ServiceState:
    """Load the model. Without one the service still runs and says so, for somebody to put right."""
    try:
        package = load_package(settings.model_dir)
    except BadPackageError as error:
        log.error("No model is served: %s", error)
        state.model_problem = str(error)
        return state
    runtime = Runtime.of_package(package, settings.max_pixels)
    runtime.warm_up(state.pool, threads)
    state.runtime = runtime
    return state


def _sweep(database: Database, blobs: Blobs) -> None:
    """Put away what a killed process left. A store that is away is no reason not to start."""
    try:
        sweep_orphans(database, blobs)
    except Exception:  # Whatever the store of blobs raises.
        log.warning("Photographs without an image were not swept up.", exc_info=True)


app = create_app()
