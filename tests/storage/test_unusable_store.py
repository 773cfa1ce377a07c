"""A store that cannot be reached, read or written raises one error, and `problem` says why."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import fsspec
import pytest

from api.storage.blobs import BadKeyError, Blobs
from api.storage.failures import StoreError
from tests.processes import free_port

KEY = "photographs/ab/ab.jpg"
ACCESSES: dict[str, Callable[[Blobs], Any]] = {
    "put": lambda store: store.put(KEY, b"x"),
    "put_many": lambda store: store.put_many("predicted/a", [b"x"]),
    "get": lambda store: store.get(KEY),
    "get of a part": lambda store: store.get(f"{KEY}#0-1"),
    "exists": lambda store: store.exists(KEY),
    "modified_at": lambda store: store.modified_at(KEY),
    "delete": lambda store: store.delete(KEY),
    "keys": lambda store: list(store.keys("photographs")),
    "folders": lambda store: store.folders("models"),
    "folder_modified_at": lambda store: store.folder_modified_at("photographs"),
    "delete_folder": lambda store: store.delete_folder("photographs"),
}


@pytest.fixture
def folder_in_the_way(tmp_path: Path) -> Blobs:
    """A store whose folder is a file, which fails like a bad disk, even for root."""
    (tmp_path / "blobs").write_text("in the way")
    return Blobs(str(tmp_path / "blobs"))


@pytest.mark.parametrize("access", ACCESSES)
def test_unusable_folder_raises_one_error(folder_in_the_way: Blobs, access: str) -> None:
    with pytest.raises(StoreError) as raised:
        ACCESSES[access](folder_in_the_way)
    assert raised.value.strerror
    assert folder_in_the_way.problem is not None
    assert folder_in_the_way.url not in folder_in_the_way.problem


@pytest.mark.slow  # Each access retries for seconds.
@pytest.mark.parametrize("access", ["put", "get", "exists", "delete", "keys"])
def test_bucket_that_cannot_be_reached_raises_the_same_error(
    access: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    store = Blobs("s3://nowhere/ripeline")
    with pytest.raises(StoreError):
        ACCESSES[access](store)
    assert store.problem
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def test_writing_to_a_missing_bucket_fails(bucket: str) -> None:
    store = Blobs(f"{bucket}-missing/ripeline")
    with pytest.raises(StoreError):
        store.put(KEY, b"x")


def test_unreadable_folder_is_not_listed_as_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty store with an empty catalog would count as a new installation."""
    store = Blobs(str(tmp_path))
    store.put(KEY, b"x")
    scandir = os.scandir

    def fail(path: Any) -> Any:
        if str(path).endswith("photographs/ab"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", fail)
    with pytest.raises(StoreError, match="Permission denied"):
        list(store.keys("photographs"))


def test_full_disk_is_not_reported_as_a_store_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Blobs(str(tmp_path))

    def full(_descriptor: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left") as raised:
            store.put(KEY, b"x")
    assert not isinstance(raised.value, StoreError)
    assert "no disk space left" in (store.problem or "")
    store.put(KEY, b"x")
    assert store.problem is None


def test_missing_blob_and_bad_key_are_not_store_problems(tmp_path: Path) -> None:
    store = Blobs(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        store.get(KEY)
    with pytest.raises(BadKeyError):
        store.get("../a")
    assert store.problem is None


def test_problem_of_writing_outlasts_reading(tmp_path: Path) -> None:
    store = Blobs(str(tmp_path))
    (tmp_path / "photographs").write_text("in the way")
    with pytest.raises(StoreError):
        store.put(KEY, b"x")
    assert store.folders("models") == []
    assert "written" in (store.problem or "")


def test_store_that_works_again_is_noticed_without_a_request(tmp_path: Path) -> None:
    root = tmp_path / "blobs"
    root.write_text("in the way")
    store = Blobs(str(root))
    store.recheck()
    for access in ("put", "get"):
        with pytest.raises(StoreError):
            ACCESSES[access](store)
    store.recheck()
    assert store.problem
    root.unlink()
    store.recheck()
    assert store.problem is None
    assert list(root.iterdir()) == []
