"""A stored package is damaged, while this machine's copy is intact."""

from pathlib import Path

import pytest

from api.model.package import BACKBONE, HEAD, MANIFEST
from api.registry import repository, service
from api.registry.store import damaged_files, fetch_package
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.failures import StoreError
from tests.registry.versions import a_servable_package, a_small_package, register_package


def spoil(blobs: Blobs, key: str, damage: str) -> bytes:
    """Damage a stored file, and return its previous content."""
    whole = blobs.get(key)
    if damage == "missing":
        blobs.delete(key)
    else:
        blobs.put(key, whole[:-9])
    return whole


@pytest.mark.parametrize("name", [HEAD, BACKBONE, MANIFEST])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_promotion_puts_the_files_back(
    database: Database, blobs: Blobs, tmp_path: Path, name: str, damage: str
) -> None:
    key, cache = f"models/b/{name}", tmp_path / "cache"
    register_package(database, blobs, a_servable_package(tmp_path, "b"))
    fetch_package(blobs, "b", cache)
    whole = spoil(blobs, key, damage)
    assert damaged_files(blobs, "b") == [name]
    service.promote(database, blobs, cache, "b")
    assert blobs.get(key) == whole
    assert damaged_files(blobs, "b") == []
    assert fetch_package(blobs, "b", tmp_path / "of another machine").manifest.version == "b"


def test_whole_package_is_not_written_again(
    database: Database, blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So promotions work with a read-only store."""
    register_package(database, blobs, a_servable_package(tmp_path, "b"))
    assert damaged_files(blobs, "b") == []
    fetch_package(blobs, "b", tmp_path / "cache")
    monkeypatch.setattr(Blobs, "put", lambda _blobs, key, _data: pytest.fail(key))
    service.promote(database, blobs, tmp_path / "cache", "b")


def test_version_that_cannot_be_put_back_is_not_promoted(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    register_package(database, blobs, a_small_package(tmp_path, "a"), "first")
    register_package(database, blobs, a_servable_package(tmp_path, "b"))
    fetch_package(blobs, "b", cache)
    (Path(blobs.url) / "models" / "b").rename(tmp_path / "away")
    (Path(blobs.url) / "models" / "b").write_text("in the way")
    with pytest.raises(StoreError):
        service.promote(database, blobs, cache, "b")
    with database.reading() as session:
        assert repository.champion_version(session) == "a"


def test_rollback_waits_for_no_store(database: Database, blobs: Blobs, tmp_path: Path) -> None:
    """The version has served before, and a person wants to stop using the current one."""
    cache = tmp_path / "cache"
    register_package(database, blobs, a_servable_package(tmp_path, "a"), "first")
    register_package(database, blobs, a_servable_package(tmp_path, "b"), "manual")
    fetch_package(blobs, "a", cache)
    (Path(blobs.url) / "models" / "a").rename(tmp_path / "away")
    (Path(blobs.url) / "models" / "a").write_text("in the way")
    assert service.roll_back(database, blobs, cache).version == "a"
    with database.reading() as session:
        assert repository.champion_version(session) == "a"


def test_rollback_puts_the_files_back_too(database: Database, blobs: Blobs, tmp_path: Path) -> None:
    register_package(database, blobs, a_servable_package(tmp_path, "a"), "first")
    register_package(database, blobs, a_servable_package(tmp_path, "b"), "manual")
    fetch_package(blobs, "a", tmp_path / "cache")
    spoil(blobs, f"models/a/{HEAD}", "missing")
    service.roll_back(database, blobs, tmp_path / "cache")
    assert damaged_files(blobs, "a") == []
