"""This machine's copies of versions, while the store hangs or the disk of the copies fails."""

import errno
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.model.package import MANIFEST, Package
from api.registry import store
from api.registry.store import cached_versions, evict, fetch_package, store_package
from api.settings import Settings
from api.storage import blobs as storage
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.failures import ModelCacheError, StoreError, is_disk_full
from tests.registry.versions import a_small_package, register_package
from tests.waiting import until


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    """It has the versions v1 and v2."""
    stored = Blobs(str(tmp_path / "blobs"))
    for version in ("v1", "v2"):
        store_package(stored, a_small_package(tmp_path, version))
    return stored


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


class Hanging:
    """The store gives no file of v2 but the manifest until `goes_on` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.goes_on = Event(), Event()
        get = Blobs.get

        def hang(blobs: Blobs, key: str) -> bytes:
            if "/v2/" in key and not key.endswith(MANIFEST):
                self.asked.set()
                self.goes_on.wait()
            return get(blobs, key)

        monkeypatch.setattr(Blobs, "get", hang)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.fixture
def hanging(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    hanging = Hanging(monkeypatch)
    try:
        yield hanging
    finally:
        hanging.goes_on.set()  # The threads of the pool are waited for.


@pytest.fixture
def fetching(
    blobs: Blobs, cache: Path, pool: ThreadPoolExecutor, hanging: Hanging
) -> Future[Package]:
    """v2 is being fetched, and v1 has been."""
    fetch_package(blobs, "v1", cache)
    fetching = pool.submit(fetch_package, blobs, "v2", cache)
    until(hanging.asked.is_set)
    return fetching


def test_hanging_store_holds_up_no_cached_version(
    blobs: Blobs,
    cache: Path,
    pool: ThreadPoolExecutor,
    hanging: Hanging,
    fetching: Future[Package],
) -> None:
    other = pool.submit(fetch_package, blobs, "v1", cache)
    until(other.done)
    assert other.result().folder == cache / "v1"
    hanging.goes_on.set()
    assert fetching.result().folder == cache / "v2"


def test_eviction_waits_for_no_download(
    cache: Path, pool: ThreadPoolExecutor, hanging: Hanging, fetching: Future[Package]
) -> None:
    evicting = pool.submit(evict, cache, {"v1", "v2"})
    until(evicting.done)
    assert cached_versions(cache) == set()
    assert (cache / ".v2.fetching").exists()
    hanging.goes_on.set()
    assert fetching.result().folder == cache / "v2"
    evict(cache, {"v2"})
    assert cached_versions(cache) == set()


def test_who_waits_too_long_for_another_download_is_told(
    blobs: Blobs,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    hanging: Hanging,
    fetching: Future[Package],
) -> None:
    monkeypatch.setattr(store, "WAIT_SECONDS", 0)
    with pytest.raises(StoreError, match="v2 is being fetched"):
        fetch_package(blobs, "v2", cache)
    hanging.goes_on.set()
    fetching.result()
    assert fetch_package(blobs, "v2", cache).folder == cache / "v2"


@contextmanager
def failing_disk(number: int) -> Iterator[None]:
    """Files cannot be written; the store is only read here."""

    def fail(*_: object) -> NoReturn:
        raise OSError(number, "it failed", "/disk")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "atomic_write", fail)
        yield


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_failing_disk_is_no_failing_store(blobs: Blobs, cache: Path, number: int) -> None:
    with failing_disk(number), pytest.raises(ModelCacheError) as raised:
        fetch_package(blobs, "v1", cache)
    assert is_disk_full(raised.value) == (number in (errno.ENOSPC, errno.EDQUOT))
    assert blobs.problem is None
    assert not list(cache.glob("*v1.fetching"))
    assert fetch_package(blobs, "v1", cache).folder == cache / "v1"


def test_cache_that_is_no_folder_is_no_failing_store(blobs: Blobs, cache: Path) -> None:
    cache.write_text("")
    with pytest.raises(ModelCacheError):
        fetch_package(blobs, "v1", cache)


def test_client_is_told_whose_disk_fails(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    update = {"state_dir": tmp_path / "state", "database_url": database.url}
    own = settings.model_copy(update=update)
    with TestClient(create_app(own), raise_server_exceptions=False) as client:
        register_package(database, Blobs(own.storage), a_small_package(tmp_path, "v1"))
        told = []
        for number in (errno.ENOSPC, errno.EROFS):
            with failing_disk(number):
                refused = client.get("/models/v1/export")
            told.append((refused.status_code, refused.json()["code"]))
        assert told == [(507, "disk-full"), (503, "model-cache-unavailable")]
        assert client.get("/status").json()["storage_problem"] is None
