"""Registering, promoting and pruning versions: their files and rows."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from api.core.heads import Linear
from api.model.manifest import Manifest
from api.model.package import (
    BACKBONE,
    DETECTOR,
    HEAD,
    REPLAY,
    BadPackageError,
    load_package,
    write_package,
)
from api.registry import repository, service
from api.registry.service import DamagedModelError
from api.registry.store import fetch_package, is_stored, store_package, stored_versions
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.models import ChampionRow, ModelRow, PromotionRow
from tests.registry.versions import (
    DEFAULT,
    a_shipped_package,
    a_small_package,
    register_package,
)


def champion(database: Database) -> str | None:
    with database.reading() as session:
        return repository.champion_version(session)


def count(database: Database, table: type) -> int | None:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def versions(database: Database) -> set[str]:
    with database.reading() as session:
        return repository.available_versions(session)


def test_shipped_package_serves_first(database: Database, blobs: Blobs, tmp_path: Path) -> None:
    package = a_small_package(tmp_path, "shipped")
    for _ in range(2):
        service.register_shipped(database, blobs, package)
    assert champion(database) == "shipped"
    assert is_stored(blobs, "shipped")
    with database.reading() as session:
        assert repository.get_model(session, "shipped").origin == "shipped"
        assert [row.kind for row in repository.history(session)] == ["first"]


def test_concurrent_registration_of_the_shipped_package(
    database_url: str, blobs: Blobs, tmp_path: Path
) -> None:
    package = a_small_package(tmp_path, "shipped")
    databases = [Database(database_url) for _ in range(4)]

    def start(database: Database) -> None:
        database.upgrade()
        service.register_shipped(database, blobs, package)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, databases))
    for table in (ModelRow, ChampionRow, PromotionRow):
        assert count(databases[0], table) == 1
    for database in databases:
        database.close()


def test_newer_shipped_package_is_not_promoted(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    for version in ("old", "new"):
        service.register_shipped(database, blobs, a_small_package(tmp_path, version))
    assert champion(database) == "old"
    assert versions(database) == {"old", "new"}


def test_bad_shipped_package_changes_nothing(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    with pytest.raises(BadPackageError):
        service.register_shipped(database, blobs, tmp_path)
    assert count(database, ModelRow) == 0


def test_shipped_package_with_missing_files_is_stored_again(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    """For example, because STORAGE_URL names a new bucket."""
    package = a_small_package(tmp_path, "shipped")
    service.register_shipped(database, blobs, package)
    blobs.delete_folder("models")
    service.register_shipped(database, blobs, package)
    assert is_stored(blobs, "shipped")


def test_version_is_registered_and_promoted_together(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    register_package(database, blobs, a_small_package(tmp_path, "a"), "first")
    register_package(database, blobs, a_small_package(tmp_path, "b"))
    assert champion(database) == "a"
    register_package(database, blobs, a_small_package(tmp_path, "c"), "gate")
    assert champion(database) == "c"
    assert all(is_stored(blobs, version) for version in versions(database))


def test_interrupted_registration_is_not_listed(
    database: Database, blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is killed after the files and the row, before the promotion."""
    register_package(database, blobs, a_small_package(tmp_path, "a"), "first")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(repository, "promote", interrupt)
    with pytest.raises(KeyboardInterrupt):
        register_package(database, blobs, a_small_package(tmp_path, "b"), "gate")
    assert versions(database) == {"a"}
    assert champion(database) == "a"


def test_pruning_keeps_the_newest_the_champion_and_the_rollback_target(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    for version in "abcdefgh":
        promoted = version in "bc"
        register_package(
            database, blobs, a_small_package(tmp_path, version), "gate" if promoted else None
        )
    assert service.prune(database, blobs) == ["a"]
    assert versions(database) == set("bcdefgh")
    assert service.prune(database, blobs, keep=2) == ["f", "e", "d"]
    assert stored_versions(blobs) == ["b", "c", "g", "h"]
    assert count(database, ModelRow) == 8
    assert champion(database) == "c"


def test_interrupted_pruning_is_finished(
    database: Database, blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in "abc":
        register_package(database, blobs, a_small_package(tmp_path, version), "gate")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("api.registry.store.delete_package", interrupt)
        with pytest.raises(KeyboardInterrupt):
            service.prune(database, blobs, keep=0)
    assert versions(database) == {"b", "c"}
    assert stored_versions(blobs) == ["a", "b", "c"]
    service.clean_up_store(database, blobs)
    assert stored_versions(blobs) == ["b", "c"]


def test_pruned_package_is_not_stored_again_at_start_up(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    shipped = a_small_package(tmp_path, "shipped")
    service.register_shipped(database, blobs, shipped)
    for version in "ab":
        register_package(database, blobs, a_small_package(tmp_path, version), "gate")
    service.prune(database, blobs, keep=1)
    service.register_shipped(database, blobs, shipped)
    assert stored_versions(blobs) == ["a", "b"]
    assert champion(database) == "b"


def test_abandoned_package_is_deleted_after_an_hour(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    register_package(database, blobs, a_small_package(tmp_path, "a"), "first")
    store_package(blobs, a_small_package(tmp_path, "orphan"))
    unfinished = tmp_path / "blobs" / "models" / "half" / f".{HEAD}.123"
    unfinished.parent.mkdir()
    unfinished.write_bytes(b"half")
    service.clean_up_store(database, blobs)
    assert stored_versions(blobs) == ["a", "half", "orphan"]  # These may be in progress.

    set_file_age(tmp_path / "blobs" / "models", hours=2)
    set_promotion_age(database, hours_ago=3)
    service.clean_up_store(database, blobs)
    assert stored_versions(blobs) == ["a"]


def test_packages_of_a_previous_catalog_are_kept(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    """DATABASE_URL may be changed back."""
    store_package(blobs, a_small_package(tmp_path, "of-another-catalog"))
    register_package(database, blobs, a_small_package(tmp_path, "a"), "first")
    set_file_age(tmp_path / "blobs" / "models", hours=2)
    service.clean_up_store(database, blobs)
    assert stored_versions(blobs) == ["a", "of-another-catalog"]


def test_damaged_version_is_not_promoted(database: Database, blobs: Blobs, tmp_path: Path) -> None:
    for version in "ab":
        register_package(database, blobs, a_small_package(tmp_path, version), "gate")
    blobs.put(f"models/a/{HEAD}", b"damaged")
    cache = tmp_path / "cache"
    with pytest.raises(DamagedModelError):
        service.promote(database, blobs, cache, "a")
    with pytest.raises(DamagedModelError):
        service.roll_back(database, blobs, cache)
    assert champion(database) == "b"


def test_pruned_versions_are_evicted_from_the_cache(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    service.evict_cache(database, cache)
    for version in "abc":
        register_package(database, blobs, a_small_package(tmp_path, version), "gate")
        fetch_package(blobs, version, cache)
    service.prune(database, blobs, keep=1)
    service.evict_cache(database, cache)
    assert sorted(path.name for path in cache.iterdir() if path.is_dir()) == ["b", "c"]


def set_file_age(folder: Path, hours: float) -> None:
    """Set the age of all files in `folder`."""
    timestamp = time.time() - hours * 3600
    for path in folder.rglob("*"):
        os.utime(path, (timestamp, timestamp))


def set_promotion_age(database: Database, hours_ago: float) -> None:
    with database.session() as session:
        session.execute(update(PromotionRow).values(at=now() - timedelta(hours=hours_ago)))


def test_version_that_grades_the_probe_differently_is_not_promoted(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    """All its files match the manifest, but its head has two kinds swapped."""
    service.register_shipped(database, blobs, DEFAULT)
    before = champion(database)
    folder = a_shipped_package(tmp_path, "exchanged")
    package = load_package(folder)
    kinds = package.head.kinds
    order = [1, 0, *range(2, kinds.bias.size)]

    def fill(parts: Path) -> None:
        for name in (BACKBONE, REPLAY, DETECTOR):
            shutil.copyfile(DEFAULT / name, parts / name)
        exchanged = Linear(kinds.weights[:, order], kinds.bias[order])
        replace(package.head, kinds=exchanged).save(parts / HEAD)

    def describe(files: dict[str, str]) -> Manifest:
        return package.manifest.model_copy(update={"files": files})

    write_package(folder, fill, describe)
    register_package(database, blobs, folder)
    with pytest.raises(DamagedModelError):
        service.promote(database, blobs, tmp_path / "cache", "exchanged")
    assert champion(database) == before


def test_version_whose_detector_cannot_run_is_not_promoted(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    service.register_shipped(database, blobs, DEFAULT)
    before = champion(database)
    folder = a_shipped_package(tmp_path, "blind")
    package = load_package(folder)

    def fill(parts: Path) -> None:
        for name in (BACKBONE, HEAD, REPLAY):
            shutil.copyfile(DEFAULT / name, parts / name)
        (parts / DETECTOR).write_bytes(b"no graph")

    def describe(files: dict[str, str]) -> Manifest:
        return package.manifest.model_copy(update={"files": files})

    write_package(folder, fill, describe)
    register_package(database, blobs, folder)
    with pytest.raises(DamagedModelError):
        service.promote(database, blobs, tmp_path / "cache", "blind")
    assert champion(database) == before
