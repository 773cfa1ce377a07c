"""The model that grades: the champion, the shipped model, another version, or a folder."""

from contextlib import suppress
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from api.core.errors import ProblemError
from api.model.manifest import is_version
from api.model.package import BadPackageError, Package, load_package, read_manifest
from api.registry import repository
from api.registry.store import fetch_package, is_stored
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database
from api.storage.tables import ChampionRow

CHAMPION = "champion"
DEFAULT = "default"


class BadModelError(ProblemError):
    code = "bad-model"


def open_model(settings: Settings, name: str) -> Package:
    """`champion`, `default` (RIPELINE_MODEL_DIR), a package's folder, or a stored version.

    Without a champion in the catalog the shipped package is used, as by the service. Raises
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
    raise BadModelError(
        f"{name} is no model: name the folder of a package, a version that /models lists, "
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


def _champion_version(settings: Settings) -> str | None:
    """The champion's version; None without a catalog, which this never creates."""
    address = make_url(settings.database)
    if address.drivername.startswith("sqlite") and not Path(address.database or "").exists():
        return None
    database = Database(settings.database)
    try:
        if not inspect(database.engine).has_table(ChampionRow.__tablename__):
            return None
        with database.reading() as session:
            return repository.champion(session)
    except UNAVAILABLE as error:
        raise BadModelError(
            f"The catalog cannot be reached, so its champion is not known ({error}). Name a model "
            f"by --model, such as '{DEFAULT}'."
        ) from None
    finally:
        database.close()
