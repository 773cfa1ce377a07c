"""Model packages in the blob store, and this machine's verified cache of them.

A package lies under `models/<version>/`. Its manifest is stored last and deleted first, so a
version with a manifest is complete.
"""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from api.core.imaging.hashing import content_hash
from api.model.manifest import Manifest
from api.model.package import (
    MANIFEST,
    BadPackageError,
    Package,
    load_package,
    parts_of,
    read_manifest,
)
from api.storage.blobs import Blobs
from api.storage.failures import ModelCacheError, StoreError

FOLDER = "models"
LOCK = ".lock"
FETCHING = ".fetching"
# Longer than a download takes. Each waiting caller occupies a thread of the service.
WAIT_SECONDS = 60.0


def store_package(blobs: Blobs, folder: Path) -> Manifest:
    """Store the package in `folder` unless it is stored already. Raises BadPackageError."""
    package = load_package(folder)
    manifest = package.manifest
    if is_stored(blobs, manifest.version):
        return manifest
    for name in parts_of(manifest):
        data = (package.folder / name).read_bytes()
        if content_hash(data) != manifest.files[name]:
            raise BadPackageError(f"{package.folder / name} was changed while it was stored.")
        blobs.put(_key(manifest.version, name), data)
    blobs.put(_key(manifest.version, MANIFEST), manifest.to_json().encode())
    return manifest


def store_new_package(blobs: Blobs, folder: Path) -> None:
    """`store_package` for a version that nobody else stores: if it fails, nothing is left of it."""
    try:
        store_package(blobs, folder)
    except BaseException:
        with suppress(OSError, BadPackageError):  # If that fails too, it is swept later.
            version = read_manifest(folder).version
            if not is_stored(blobs, version):
                delete_package(blobs, version)
        raise


def is_stored(blobs: Blobs, version: str) -> bool:
    """Whether the complete package is stored."""
    return blobs.exists(_key(version, MANIFEST))


def fetch_package(blobs: Blobs, version: str, cache: Path) -> Package:
    """The verified package in `cache/<version>`, downloaded if it is missing or damaged.

    Of concurrent callers in any process one downloads, and those who want the same version wait.
    Raises BadPackageError if the stored package is missing or damaged, ModelCacheError if the cache
    cannot be written, and StoreError if the store fails, or if another caller has been downloading
    the version for WAIT_SECONDS.
    """
    target, temporary = cache / version, cache / f".{version}{FETCHING}"
    with _writing(cache):
        cache.mkdir(parents=True, exist_ok=True)
    with locked(cache, version):
        with suppress(BadPackageError):
            return _load_verified(target, version)
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            _download(blobs, version, temporary)
            package = _load_verified(temporary, version)
            shutil.rmtree(target, ignore_errors=True)
            with _writing(cache):
                temporary.rename(target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    return replace(package, folder=target)


@contextmanager
def locked(cache: Path, version: str, wait_seconds: float | None = None) -> Iterator[None]:
    """Let only this caller, in any process, change the copy of a version.

    Each version has a lock of its own: a download may hang for minutes. Raises ModelCacheError;
    StoreError after `wait_seconds` (default: WAIT_SECONDS).
    """
    lock = FileLock(cache / f".{version}{LOCK}")
    seconds = WAIT_SECONDS if wait_seconds is None else wait_seconds
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise StoreError(
            errno.ETIMEDOUT, f"version {version} is being fetched, which takes long", str(cache)
        ) from None
    except OSError as error:
        raise _cache_error(error, cache) from error
    try:
        yield
    finally:
        lock.release()


def damaged_files(blobs: Blobs, version: str) -> list[str]:
    """Names of the stored files that are missing or do not match the manifest."""
    data = _stored(blobs, version, MANIFEST)
    try:
        manifest = Manifest.model_validate_json(data or b"")
    except ValueError:
        return [MANIFEST]
    if manifest.version != version:
        return [MANIFEST]
    return [
        name
        for name in parts_of(manifest)
        if content_hash(_stored(blobs, version, name) or b"") != manifest.files.get(name)
    ]


def put_back(blobs: Blobs, package: Package) -> list[str]:
    """Store those files of the verified `package` again that are missing or damaged in the store.

    Returns their names.
    """
    version, repaired = package.manifest.version, []
    for name in (*parts_of(package.manifest), MANIFEST):
        data = (package.folder / name).read_bytes()
        if _stored(blobs, version, name) != data:
            blobs.put(_key(version, name), data)
            repaired.append(name)
    return repaired


def delete_package(blobs: Blobs, version: str) -> None:
    """Delete the package, complete or not."""
    blobs.delete(_key(version, MANIFEST))
    blobs.delete_folder(f"{FOLDER}/{version}")


def stored_versions(blobs: Blobs) -> list[str]:
    """Every version with any stored file, complete or not."""
    return blobs.folders(FOLDER)


def last_stored(blobs: Blobs, version: str) -> datetime | None:
    """When the last file of the version was stored."""
    return blobs.folder_modified_at(f"{FOLDER}/{version}")


def cached_versions(cache: Path) -> set[str]:
    if not cache.exists():
        return set()
    return {path.name for path in cache.iterdir() if path.is_dir() and path.name[0] != "."}


def evict(cache: Path, versions: set[str]) -> None:
    """Delete these versions from the cache, and unfinished downloads.

    What another caller is using or downloading at the moment is left.
    """
    if not cache.exists():
        return
    for path in list(cache.iterdir()):
        version = path.name.removeprefix(".").removesuffix(FETCHING)
        if path.name in versions or path.name.endswith(FETCHING):
            with suppress(OSError), locked(cache, version, wait_seconds=0):
                shutil.rmtree(path, ignore_errors=True)


def _key(version: str, name: str) -> str:
    return f"{FOLDER}/{version}/{name}"


def _stored(blobs: Blobs, version: str, name: str) -> bytes | None:
    try:
        return blobs.get(_key(version, name))
    except FileNotFoundError:
        return None


def _load_verified(folder: Path, version: str) -> Package:
    package = load_package(folder)
    if package.manifest.version != version:
        raise BadPackageError(
            f"What is stored as version {version} says that it is {package.manifest.version}."
        )
    return package


def _download(blobs: Blobs, version: str, folder: Path) -> None:
    local = Blobs(str(folder))  # For its durable writes.

    def fetch(name: str) -> None:
        try:
            data = blobs.get(_key(version, name))
        except FileNotFoundError:
            raise BadPackageError(
                f"Version {version} is not whole in the store: {name} is missing."
            ) from None
        with _writing(folder):
            local.put(name, data)

    fetch(MANIFEST)
    for name in parts_of(read_manifest(folder)):
        fetch(name)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Raises ModelCacheError for every error of this machine's disk."""
    try:
        yield
    except OSError as error:
        raise _cache_error(error, folder) from error


def _cache_error(error: OSError, folder: Path) -> ModelCacheError:
    return ModelCacheError(error.errno, error.strerror or str(error), error.filename or str(folder))
