"""What endpoints ask for, as annotated aliases."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from api.blobs import Blobs
from api.dataset.learned import Learned, learned_of
from api.db import Database
from api.errors import CatalogUnavailableError
from api.health.state import ServiceState
from api.jobs.queue import RunQueue
from api.settings import Settings


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _state(request: Request) -> ServiceState:
    state: ServiceState = request.app.state.service
    return state


def _database(request: Request) -> Database:
    """Raises CatalogUnavailableError while the catalog has not been opened."""
    state = _state(request)
    if state.catalog_problem:
        raise CatalogUnavailableError()
    return state.database


def _blobs(request: Request) -> Blobs:
    return _state(request).blobs


def _queue(request: Request) -> RunQueue:
    queue: RunQueue = request.app.state.queue
    return queue


def _session(request: Request) -> Iterator[Session]:
    """One transaction a request; committed before the answer is sent."""
    with _database(request).session() as session:
        yield session


def _reading(request: Request) -> Iterator[Session]:
    with _database(request).reading() as session:
        yield session


def _learned(request: Request) -> Learned:
    """Of the version that serves: from its copy here, or else it is the one that was shipped."""
    settings, runtime = _settings(request), _state(request).runtime
    copy = settings.model_cache / runtime.manifest.version if runtime else None
    return learned_of(copy if copy and copy.is_dir() else settings.model_dir)


SettingsDep = Annotated[Settings, Depends(_settings)]
StateDep = Annotated[ServiceState, Depends(_state)]
DatabaseDep = Annotated[Database, Depends(_database)]
BlobsDep = Annotated[Blobs, Depends(_blobs)]
QueueDep = Annotated[RunQueue, Depends(_queue)]
SessionDep = Annotated[Session, Depends(_session, scope="function")]
ReadingDep = Annotated[Session, Depends(_reading, scope="function")]
LearnedDep = Annotated[Learned, Depends(_learned)]
