"""A package in the store is whole or not listed; a copy of it is verified."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from api.model.package import BACKBONE, HEAD, MANIFEST, PARTS, BadPackageError, load_package
from api.registry.store import (
    complete,
    copies,
    drop_copies,
    fetch_package,
    last_stored,
    remove_package,
    store_package,
    stored_versions,
)
from api.storage.blobs import Blobs
from tests.registry.versions import a_small_package


@pytest.fixture(params=["folder", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return Blobs(
        str(tmp_path / "blobs") if request.param == "folder" else f"memory://{uuid4().hex}"
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return a_small_package(tmp_path, "v1")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_a_copy_is_what_was_stored(blobs: Blobs, package: Path, cache: Path) -> None:
    assert store_package(blobs, package) == load_package(package).manifest
    folder = fetch_package(blobs, "v1", cache)
    assert folder == cache / "v1"
    assert sorted(path.name for path in folder.iterdir()) == sorted((*PARTS, MANIFEST))
    for name in PARTS:
        assert (folder / name).read_bytes() == (package / name).read_bytes()
    assert load_package(folder).manifest == load_package(package).manifest


def test_storing_again_changes_nothing(blobs: Blobs, package: Path, cache: Path) -> None:
    store_package(blobs, package)
    blobs.put(f"models/v1/{HEAD}", b"as it was stored")
    store_package(blobs, package)
    assert blobs.get(f"models/v1/{HEAD}") == b"as it was stored"


def test_a_bad_package_is_not_stored(blobs: Blobs, package: Path) -> None:
    (package / HEAD).write_bytes(b"changed")
    with pytest.raises(BadPackageError):
        store_package(blobs, package)
    assert stored_versions(blobs) == []


@pytest.mark.parametrize("parts", range(len(PARTS) + 1))
def test_storing_that_dies_counts_only_when_it_was_done(
    blobs: Blobs, package: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, parts: int
) -> None:
    """Killed after so many files."""
    put, left = Blobs.put, parts

    def dying(store: Blobs, key: str, data: bytes) -> None:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        put(store, key, data)

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "put", dying)
        with pytest.raises(KeyboardInterrupt):
            store_package(blobs, package)
    assert not complete(blobs, "v1")
    with pytest.raises(BadPackageError, match=r"v1.*missing"):
        fetch_package(blobs, "v1", cache)
    store_package(blobs, package)
    assert complete(blobs, "v1")
    assert fetch_package(blobs, "v1", cache) == cache / "v1"


@pytest.mark.parametrize("name", [*PARTS, MANIFEST])
def test_a_damaged_package_is_not_fetched(
    blobs: Blobs, package: Path, cache: Path, name: str
) -> None:
    store_package(blobs, package)
    blobs.put(f"models/v1/{name}", blobs.get(f"models/v1/{name}")[:-9])
    with pytest.raises(BadPackageError):
        fetch_package(blobs, "v1", cache)
    assert copies(cache) == set()
    assert [path.name for path in cache.iterdir() if path.is_dir()] == []


def test_a_package_under_another_name_is_not_fetched(
    blobs: Blobs, package: Path, cache: Path
) -> None:
    store_package(blobs, package)
    for name in (*PARTS, MANIFEST):
        blobs.put(f"models/v2/{name}", blobs.get(f"models/v1/{name}"))
    with pytest.raises(BadPackageError, match="says that it is v1"):
        fetch_package(blobs, "v2", cache)


def test_a_whole_copy_is_used_again(blobs: Blobs, package: Path, cache: Path) -> None:
    store_package(blobs, package)
    fetch_package(blobs, "v1", cache)
    remove_package(blobs, "v1")
    assert fetch_package(blobs, "v1", cache) == cache / "v1"


def test_a_damaged_copy_is_fetched_anew(blobs: Blobs, package: Path, cache: Path) -> None:
    store_package(blobs, package)
    (fetch_package(blobs, "v1", cache) / BACKBONE).write_bytes(b"spoilt")
    assert load_package(fetch_package(blobs, "v1", cache)).backbone == b"v1"


def test_fetching_that_was_killed_leaves_nothing_that_is_used(
    blobs: Blobs, package: Path, cache: Path
) -> None:
    store_package(blobs, package)
    left = cache / ".v1.fetching"
    left.mkdir(parents=True)
    (left / BACKBONE).write_bytes(b"half")
    assert load_package(fetch_package(blobs, "v1", cache)).backbone == b"v1"
    assert not left.exists()


def test_many_fetch_at_once(
    blobs: Blobs, package: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_package(blobs, package)
    get, read = Blobs.get, []

    def counted(store: Blobs, key: str) -> bytes:
        read.append(key)
        return get(store, key)

    monkeypatch.setattr(Blobs, "get", counted)
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: fetch_package(blobs, "v1", cache), range(8)))
    assert folders == [cache / "v1"] * 8
    assert len(read) == len(PARTS) + 1


def test_removing_leaves_nothing(blobs: Blobs, package: Path, tmp_path: Path) -> None:
    store_package(blobs, package)
    store_package(blobs, a_small_package(tmp_path, "v2"))
    remove_package(blobs, "v1")
    remove_package(blobs, "v1")
    assert not complete(blobs, "v1")
    assert stored_versions(blobs) == ["v2"]
    assert last_stored(blobs, "v1") is None


def test_removing_that_dies_leaves_no_half_package(
    blobs: Blobs, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_package(blobs, package)

    def dying(store: Blobs, prefix: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Blobs, "delete_folder", dying)
    with pytest.raises(KeyboardInterrupt):
        remove_package(blobs, "v1")
    assert not complete(blobs, "v1")
    assert stored_versions(blobs) == ["v1"]


def test_copies_are_dropped_by_name(
    blobs: Blobs, package: Path, cache: Path, tmp_path: Path
) -> None:
    store_package(blobs, package)
    store_package(blobs, a_small_package(tmp_path, "v2"))
    fetch_package(blobs, "v1", cache)
    fetch_package(blobs, "v2", cache)
    (cache / ".v3.fetching").mkdir()
    drop_copies(cache, {"v1"})
    assert copies(cache) == {"v2"}
    assert not (cache / ".v3.fetching").exists()
