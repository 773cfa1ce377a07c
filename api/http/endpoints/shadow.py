"""`/models/{version}/shadow`: a version grades beside the one in use, before it is promoted."""

from fastapi import APIRouter
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.core.errors import ConflictError
from api.http.deps import VERSION, BlobsDep, DatabaseDep, ReadingDep, SessionDep, SettingsDep
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.registry import repository, service, shadow_repository
from api.registry.shadow_schemas import Shadow, ShadowStart
from api.settings import Settings
from api.storage.db import Database

SHADOW = f"/models/{VERSION}/shadow"
router = APIRouter(route_class=CheckedRoute, tags=["models"], responses=responses(503, 507))


class InUseError(ConflictError):
    code = "in-use"
    detail = "This version is in use, so it cannot grade beside the one in use."


class SeveralShadowsError(ConflictError):
    code = "several-shadows"
    detail = "Another version was started at the same moment. Look at GET /models, and try again."


@router.get(SHADOW, summary="Get the shadow deployment of a version", responses=responses(404))
def get_shadow(session: ReadingDep, settings: SettingsDep, version: str) -> Shadow:
    """Get the counts, the agreement and the differences of the latest shadow deployment of a
    version.
    """
    repository.get_model(session, version)
    return _answer(session, settings, version)


@router.put(SHADOW, summary="Start a shadow version", responses=responses(404, 409, 422))
def start_shadow(
    database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep, version: str, start: ShadowStart
) -> Shadow:
    """Start a shadow deployment: every process also grades a share of the photos of `POST /predict`
    with this version, after the response is sent, and records how often both versions agree.

    No other response contains its grades. The deployment ends after `photos` photos, with `DELETE`,
    or when another version is put in use. Only one version can be the shadow version at a time;
    starting the same version again resets its counts.
    """
    with database.reading() as session:
        _check(session, version)
    # Outside of the transaction: it takes a second.
    service.check_package(blobs, version, settings.model_cache, settings.engine)
    try:
        return _start(database, settings, version, start)
    except IntegrityError as error:
        raise SeveralShadowsError() from error


@router.delete(SHADOW, summary="Stop the shadow version", responses=responses(404))
def stop_shadow(session: SessionDep, settings: SettingsDep, version: str) -> Shadow:
    """Stop the shadow deployment of a version. Its counts are kept. Every process frees the
    version's memory within two seconds.
    """
    repository.get_model(session, version)
    shadow_repository.end(session, "stopped", version)
    return _answer(session, settings, version)


def _start(database: Database, settings: Settings, version: str, start: ShadowStart) -> Shadow:
    with database.session() as session:
        champion = _check(session, version)
        shadow_repository.start(session, version, champion, start.share, start.photos)
        return _answer(session, settings, version)


def _check(session: Session, version: str) -> str:
    """The version in use. Raises UnknownModelError, PrunedModelError, InUseError."""
    repository.check_promotable(session, version)
    champion = repository.champion_version(session)
    if champion is None or champion == version:
        raise InUseError()
    return champion


def _answer(session: Session, settings: Settings, version: str) -> Shadow:
    row = shadow_repository.get(session, version)
    found = shadow_repository.differences(session, version) if row else []
    return Shadow.of(version, row, found, settings.shadow_min_agreement)
