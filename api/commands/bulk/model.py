"""The model that grades: the champion, the shipped model, another version, or a folder; and the
freshness thresholds that are in use with it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from api.commands.bulk.grader import Thresholds
from api.core.errors import ProblemError
from api.model.manifest import is_version
from api.model.package import BadPackageError, Package, load_package, read_manifest
from api.predictions.freshness_thresholds import user_thresholds
from api.predictions.fruit_thresholds import thresholds_by_version
from api.registry import repository
from api.registry.store import fetch_package, is_stored
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database
from api.storage.failures import ModelCacheError, StoreError
from api.storage.tables.models import ChampionRow
from api.storage.tables.predictions import FreshnessThresholdsRow, FruitThresholdsRow

CHAMPION = "champion"
DEFAULT = "default"


class BadModelError(ProblemError):
    code = "bad-model"


def open_model(settings: Settings, name: str) -> Package:
    """`champion`, `default` (RIPELINE_MODEL_DIR), a package's folder, or a stored version.

    Without a champion in the catalog the shipped package is used, as in the service. Raises
    BadModelError.
    """
    try:
        if name == DEFAULT:
            return load_package(settings.model_dir)
        if name == CHAMPION:
            version = _champion_version(settings)
            return _open_version(settings, version) if version else load_package(settings.model_dir)
        folder = Path(name).expanduser().resolve()
        if folder.is_dir():
            return load_package(folder)
        if is_version(name):
            return _open_version(settings, name)
    except BadPackageError as error:
        raise BadModelError(f"The model {name} cannot be used: {error}") from None
    except (StoreError, ModelCacheError) as error:
        raise BadModelError(f"The model {name} cannot be fetched. {error}.") from None
    raise BadModelError(
        f"{name} is not a model: name the folder of a package, a version that /models lists, "
        f"'{CHAMPION}' or '{DEFAULT}'."
    )


def _open_version(settings: Settings, version: str) -> Package:
    with suppress(BadPackageError):
        if version == read_manifest(settings.model_dir).version:
            return load_package(settings.model_dir)  # No need to fetch it.
    blobs = Blobs(settings.storage)
    if not is_stored(blobs, version):
        raise BadPackageError(f"no package of this version is stored in {blobs.url}.")
    return fetch_package(blobs, version, settings.model_cache)


def thresholds_in_use(settings: Settings, version: str) -> Thresholds:
    """The thresholds that the service uses with a version, from the catalog and the settings.

    Raises BadModelError if there is a catalog that cannot be reached.
    """
    try:
        with _reading(settings) as session:
            if session is None:
                return Thresholds(settings.level_thresholds)
            tables = inspect(session.connection())
            # A catalog made by an older version lacks some tables.
            by_user = by_fruit = None
            if tables.has_table(FreshnessThresholdsRow.__tablename__):
                by_user = user_thresholds(session)
            if tables.has_table(FruitThresholdsRow.__tablename__):
                by_fruit = thresholds_by_version(session).get(version)
            return Thresholds(by_user or settings.level_thresholds, by_fruit or {})
    except UNAVAILABLE as error:
        raise BadModelError(
            "The catalog cannot be reached, so the freshness thresholds in use are unknown "
            f"({error}). Give them with --rotten-below and --fresh-from."
        ) from None


def _champion_version(settings: Settings) -> str | None:
    """The champion's version; None without a catalog."""
    try:
        with _reading(settings) as session:
            if session is None:
                return None
            has_champion = inspect(session.connection()).has_table(ChampionRow.__tablename__)
            return repository.champion_version(session) if has_champion else None
    except UNAVAILABLE as error:
        raise BadModelError(
            f"The catalog cannot be reached, so its champion is not known ({error}). Name a model "
            f"by --model, such as '{DEFAULT}'."
        ) from None


@contextmanager
def _reading(settings: Settings) -> Iterator[Session | None]:
    """The catalog, or None if there is none: this never creates one. Raises UNAVAILABLE."""
    address = make_url(settings.database)
    if address.drivername.startswith("sqlite") and not Path(address.database or "").exists():
        yield None
        return
    database = Database(settings.database)
    try:
        with database.reading() as session:
            yield session
    finally:
        database.close()
