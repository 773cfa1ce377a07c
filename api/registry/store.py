"""Model packages in the blob store, and verified copies of them on this machine.

A package lies under `models/<version>/`. Its manifest is stored last and removed first: a version
with a manifest is whole.
"""

import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from api.core.imaging.hashing import content_hash
from api.model.manifest import Manifest
from api.model.package import MANIFEST, PARTS, BadPackageError, Package, load_package
from api.storage.blobs import Blobs

FOLDER = "models"
LOCK = ".lock"
FETCHING = ".fetching"


def store_package(blobs: Blobs, folder: Path) -> Manifest:
    """Store the package in `folder`; one that is stored whole already is left alone.

    Raises BadPackageError, and then stores nothing that counts as a package.
    """
    package = load_package(folder)
    manifest = package.manifest
    if complete(blobs, manifest.version):
        return manifest
    for name in PARTS:
        data = (package.folder / name).read_bytes()
        if content_hash(data) != manifest.files[name]:
            raise BadPackageError(f"{package.folder / name} was changed while it was stored.")
        blobs.put(_key(manifest.version, name), data)
    blobs.put(_key(manifest.version, MANIFEST), manifest.text().encode())
    return manifest


def complete(blobs: Blobs, version: str) -> bool:
    """Is the whole package stored?"""
    return blobs.exists(_key(version, MANIFEST))


def fetch_package(blobs: Blobs, version: str, cache: Path) -> Path:
    """The verified folder `cache/<version>`, fetched where it is not there whole.

    Several processes and threads may ask at once: one fetches, the others wait for it. Raises
    BadPackageError for a version that is not in the store, or is damaged there.
    """
    return open_package(blobs, version, cache).folder


def open_package(blobs: Blobs, version: str, cache: Path) -> Package:
    """As `fetch_package`, but gives what was verified."""
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / version
    with FileLock(cache / LOCK):
        with suppress(BadPackageError):
            return _verified(target, version)
        temporary = cache / f".{version}{FETCHING}"
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            _copy(blobs, version, temporary)
            package = _verified(temporary, version)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        shutil.rmtree(target, ignore_errors=True)
        temporary.rename(target)
    return replace(package, folder=target)


def remove_package(blobs: Blobs, version: str) -> None:
    """Remove the package, with what an unfinished storing of it left."""
    blobs.delete(_key(version, MANIFEST))
    blobs.delete_folder(f"{FOLDER}/{version}")


def stored_versions(blobs: Blobs) -> list[str]:
    """Every version of which anything is stored, be it whole or not."""
    return blobs.folders(FOLDER)


def last_stored(blobs: Blobs, version: str) -> datetime | None:
    """When the last file of the version was stored."""
    return blobs.folder_modified_at(f"{FOLDER}/{version}")


def copies(cache: Path) -> set[str]:
    """The versions that this machine has a copy of."""
    if not cache.exists():
        return set()
    return {path.name for path in cache.iterdir() if path.is_dir() and path.name[0] != "."}


def drop_copies(cache: Path, versions: set[str]) -> None:
    """Remove these copies, and what a fetching that was killed left."""
    if not cache.exists():
        return
    with FileLock(cache / LOCK):
        for path in cache.iterdir():
            if path.name in versions or path.name.endswith(FETCHING):
                shutil.rmtree(path, ignore_errors=True)


def _key(version: str, name: str) -> str:
    return f"{FOLDER}/{version}/{name}"


def _verified(folder: Path, version: str) -> Package:
    package = load_package(folder)
    if package.manifest.version != version:
        raise BadPackageError(
            f"What is stored as version {version} says that it is {package.manifest.version}."
        )
    return package


def _copy(blobs: Blobs, version: str, folder: Path) -> None:
    local = Blobs(str(folder))  # For its writes, which are on disk when they return.
    for name in (*PARTS, MANIFEST):
        try:
            local.put(name, blobs.get(_key(version, name)))
        except FileNotFoundError:
            raise BadPackageError(
                f"Version {version} is not whole in the store: {name} is missing."
            ) from None
