"""The ASGI application: `uvicorn api.app:app`."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import __version__, problems
from api.blobs import Blobs
from api.body_limit import BodyLimit
from api.db import Database
from api.health.state import ServiceState
from api.jobs.queue import RunQueue
from api.registry.watcher import Watcher
from api.routes import router
from api.settings import Settings, get_settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service. Without `settings`, they come from the environment."""
    chosen = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database, blobs = Database(chosen.database), Blobs(chosen.storage)
        with ThreadPoolExecutor(chosen.inference_threads, thread_name_prefix="inference") as pool:
            app.state.service = ServiceState(pool, database, blobs)
            watcher = Watcher(chosen, app.state.service)
            watcher.start()
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
    app.add_middleware(BodyLimit, limit=chosen.max_body_bytes)
    problems.install(app)
    app.include_router(router)
    return app


app = create_app()
