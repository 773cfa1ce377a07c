"""Stored packages are complete or not listed, and cached copies are verified."""

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from api.model.package import (
    BACKBONE,
    DETECTOR,
    HEAD,
    MANIFEST,
    PARTS,
    REPLAY,
    BadPackageError,
    load_package,
    write_package,
)
from api.registry.store import (
    cached_versions,
    delete_package,
    evict,
    fetch_package,
    is_stored,
    last_stored,
    store_new_package,
    store_package,
    stored_versions,
)
from api.storage.blobs import Blobs
from tests.registry.samples import a_detector_manifest, describer, filler
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


def test_fetched_package_equals_the_stored_one(blobs: Blobs, package: Path, cache: Path) -> None:
    assert store_package(blobs, package) == load_package(package).manifest
    fetched = fetch_package(blobs, "v1", cache)
    folder = fetched.folder
    assert folder == cache / "v1"
    assert sorted(path.name for path in folder.iterdir()) == sorted((*PARTS, MANIFEST))
    for name in PARTS:
        assert (folder / name).read_bytes() == (package / name).read_bytes()
    assert fetched.manifest == load_package(folder).manifest == load_package(package).manifest


def test_storing_again_changes_nothing(blobs: Blobs, package: Path, cache: Path) -> None:
    store_package(blobs, package)
    blobs.put(f"models/v1/{HEAD}", b"as it was stored")
    store_package(blobs, package)
    assert blobs.get(f"models/v1/{HEAD}") == b"as it was stored"


def test_bad_package_is_not_stored(blobs: Blobs, package: Path) -> None:
    (package / HEAD).write_bytes(b"changed")
    with pytest.raises(BadPackageError):
        store_package(blobs, package)
    assert stored_versions(blobs) == []


@pytest.mark.parametrize("parts", range(len(PARTS) + 1))
def test_interrupted_upload_is_not_stored(
    blobs: Blobs, package: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, parts: int
) -> None:
    """The process is killed after `parts` files."""
    put, remaining = Blobs.put, parts

    def interrupt(store: Blobs, key: str, data: bytes) -> None:
        nonlocal remaining
        if remaining == 0:
            raise KeyboardInterrupt
        remaining -= 1
        put(store, key, data)

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "put", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store_package(blobs, package)
    assert not is_stored(blobs, "v1")
    with pytest.raises(BadPackageError, match=r"v1.*missing"):
        fetch_package(blobs, "v1", cache)
    store_package(blobs, package)
    assert is_stored(blobs, "v1")
    assert fetch_package(blobs, "v1", cache).folder == cache / "v1"


@pytest.mark.parametrize("stored", [False, True])
def test_package_that_cannot_be_stored_leaves_nothing_behind(
    blobs: Blobs, package: Path, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    """Otherwise each failed run would fill the disk further."""
    if stored:
        store_package(blobs, package)
    put = Blobs.put

    def full(store: Blobs, key: str, data: bytes) -> None:
        if key.endswith(REPLAY):
            raise OSError(errno.ENOSPC, "No space left on device")
        put(store, key, data)

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "put", full)
        if stored:  # A complete package of that name is left alone.
            store_new_package(blobs, package)
        else:
            with pytest.raises(OSError, match="No space left"):
                store_new_package(blobs, package)
    assert list(blobs.keys("models")) == [
        f"models/v1/{name}" for name in sorted((*PARTS, MANIFEST)) if stored
    ]


@pytest.mark.parametrize("name", [*PARTS, MANIFEST])
def test_damaged_package_is_not_fetched(
    blobs: Blobs, package: Path, cache: Path, name: str
) -> None:
    store_package(blobs, package)
    blobs.put(f"models/v1/{name}", blobs.get(f"models/v1/{name}")[:-9])
    with pytest.raises(BadPackageError):
        fetch_package(blobs, "v1", cache)
    assert cached_versions(cache) == set()
    assert [path.name for path in cache.iterdir() if path.is_dir()] == []


def test_package_of_another_version_is_not_fetched(
    blobs: Blobs, package: Path, cache: Path
) -> None:
    store_package(blobs, package)
    for name in (*PARTS, MANIFEST):
        blobs.put(f"models/v2/{name}", blobs.get(f"models/v1/{name}"))
    with pytest.raises(BadPackageError, match="says that it is v1"):
        fetch_package(blobs, "v2", cache)


def test_cached_package_is_reused(blobs: Blobs, package: Path, cache: Path) -> None:
    store_package(blobs, package)
    fetch_package(blobs, "v1", cache)
    delete_package(blobs, "v1")
    assert fetch_package(blobs, "v1", cache).folder == cache / "v1"


def test_damaged_copy_is_fetched_again(blobs: Blobs, package: Path, cache: Path) -> None:
    store_package(blobs, package)
    (fetch_package(blobs, "v1", cache).folder / BACKBONE).write_bytes(b"spoilt")
    assert fetch_package(blobs, "v1", cache).backbone == b"v1"


def test_unfinished_download_is_not_used(blobs: Blobs, package: Path, cache: Path) -> None:
    store_package(blobs, package)
    remaining = cache / ".v1.fetching"
    remaining.mkdir(parents=True)
    (remaining / BACKBONE).write_bytes(b"half")
    assert fetch_package(blobs, "v1", cache).backbone == b"v1"
    assert not remaining.exists()


def test_concurrent_fetches_download_once(
    blobs: Blobs, package: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_package(blobs, package)
    get, downloads = Blobs.get, []

    def counted(store: Blobs, key: str) -> bytes:
        downloads.append(key)
        return get(store, key)

    monkeypatch.setattr(Blobs, "get", counted)
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: fetch_package(blobs, "v1", cache).folder, range(8)))
    assert folders == [cache / "v1"] * 8
    assert len(downloads) == len(PARTS) + 1


def test_deleted_package_is_not_listed(blobs: Blobs, package: Path, tmp_path: Path) -> None:
    store_package(blobs, package)
    store_package(blobs, a_small_package(tmp_path, "v2"))
    delete_package(blobs, "v1")
    delete_package(blobs, "v1")
    assert not is_stored(blobs, "v1")
    assert stored_versions(blobs) == ["v2"]
    assert last_stored(blobs, "v1") is None


def test_interrupted_deletion_leaves_an_incomplete_package(
    blobs: Blobs, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_package(blobs, package)

    def interrupt(store: Blobs, prefix: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Blobs, "delete_folder", interrupt)
    with pytest.raises(KeyboardInterrupt):
        delete_package(blobs, "v1")
    assert not is_stored(blobs, "v1")
    assert stored_versions(blobs) == ["v1"]


def test_versions_are_evicted_by_name(
    blobs: Blobs, package: Path, cache: Path, tmp_path: Path
) -> None:
    store_package(blobs, package)
    store_package(blobs, a_small_package(tmp_path, "v2"))
    fetch_package(blobs, "v1", cache)
    fetch_package(blobs, "v2", cache)
    (cache / ".v3.fetching").mkdir()
    evict(cache, {"v1"})
    assert cached_versions(cache) == {"v2"}
    assert not (cache / ".v3.fetching").exists()


@pytest.fixture
def with_detector(tmp_path: Path) -> Path:
    folder = tmp_path / "found" / "v1"
    write_package(
        folder, filler(detector=b"finds"), describer("v1", detector=a_detector_manifest())
    )
    return folder


def test_the_detector_is_stored_and_fetched(blobs: Blobs, with_detector: Path, cache: Path) -> None:
    store_package(blobs, with_detector)
    fetched = fetch_package(blobs, "v1", cache)
    assert fetched.detector == (cache / "v1" / DETECTOR).read_bytes() == b"finds"
    assert fetched.manifest == load_package(with_detector).manifest


@pytest.mark.parametrize("change", [None, b"found"])
def test_package_whose_detector_is_damaged_or_missing_is_not_fetched(
    blobs: Blobs, with_detector: Path, cache: Path, change: bytes | None
) -> None:
    store_package(blobs, with_detector)
    blobs.delete(f"models/v1/{DETECTOR}")
    if change is not None:
        blobs.put(f"models/v1/{DETECTOR}", change)
    with pytest.raises(BadPackageError, match=DETECTOR):
        fetch_package(blobs, "v1", cache)
    assert cached_versions(cache) == set()
