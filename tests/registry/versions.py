"""Packages to register: usable ones with another head, and one that cannot grade."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from api.model.manifest import Manifest
from api.model.package import BACKBONE, DETECTOR, HEAD, REPLAY, load_package, write_package
from api.registry import repository
from api.registry.repository import Kind
from api.registry.store import store_package
from api.settings import PROJECT
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.registry.samples import describer, filler
from tests.small_grader import write_small_grader

DEFAULT = PROJECT / "models" / "default"
SHIPPED = load_package(DEFAULT).manifest.version


def a_servable_package(folder: Path, version: str) -> Path:
    """The small grader as `version`, with another head."""
    return write_small_grader(folder / version, version, seed=1)


def a_shipped_package(folder: Path, version: str) -> Path:
    """The default package as `version`, with a slightly different head."""
    default = load_package(DEFAULT)

    def fill(parts: Path) -> None:
        for name in (BACKBONE, REPLAY, DETECTOR):
            shutil.copyfile(DEFAULT / name, parts / name)
        replace(default.head, temperature=default.head.temperature * 0.97).save(parts / HEAD)

    def describe(hashes: dict[str, str]) -> Manifest:
        update = {"version": version, "files": hashes, "created_at": datetime.now(UTC)}
        return default.manifest.model_copy(update=update)

    write_package(folder / version, fill, describe)
    return folder / version


def a_small_package(folder: Path, version: str) -> Path:
    """A package of a few kilobytes that cannot grade."""
    write_package(folder / version, filler(version.encode()), describer(version))
    return folder / version


def register_package(
    database: Database, blobs: Blobs, package: Path, kind: Kind | None = None
) -> str:
    """Register `package` as a run does, and return its version."""
    manifest = store_package(blobs, package)
    with database.session() as session:
        repository.add_model(session, manifest, origin="fast", started_by="manual")
        if kind:
            repository.promote(session, manifest.version, kind)
    return package.name
