"""The blob store in a folder, a bucket and in memory."""

import errno
import os
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest

from api.storage.blobs import BadKeyError, Blobs
from api.storage.db import now


@pytest.fixture(params=["folder", "memory", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "bucket":
        return Blobs(f"{request.getfixturevalue('bucket')}/ripeline")
    return Blobs(str(tmp_path) if request.param == "folder" else f"memory://{uuid4().hex}")


def test_each_part_of_a_blob_has_its_own_key(store: Blobs) -> None:
    parts = [b"first", b"second", b"the last"]
    keys = store.put_many("predicted/a", parts)
    assert [store.get(key) for key in keys] == parts
    assert all(store.exists(key) for key in keys)
    assert list(store.keys("predicted")) == ["predicted/a"]
    store.delete(keys[0])
    assert not store.exists(keys[2])
    with pytest.raises(FileNotFoundError):
        store.get(keys[2])


def test_folders_are_listed_and_deleted(store: Blobs) -> None:
    assert store.folders("models") == []
    assert store.folder_modified_at("models") is None
    store.delete_folder("models/1")
    before = now() - timedelta(seconds=2)
    for key in ("models/1/b", "models/2/c", "models/d"):
        store.put(key, b"x")
    assert store.folders("models") == ["1", "2"]
    modified = store.folder_modified_at("models/1")
    assert modified is not None
    assert before <= modified <= now()
    store.delete_folder("models/1")
    assert store.folders("models") == ["2"]
    assert list(store.keys("models")) == ["models/2/c", "models/d"]


def test_changes_of_another_process_are_visible(store: Blobs) -> None:
    store.put("models/1/a", b"x")
    assert list(store.keys("models")) == ["models/1/a"]
    assert store.folders("models") == ["1"]
    assert store.modified_at("models/1/a")
    # Not the cached instance, which would see its own changes.
    files, root = fsspec.core.url_to_fs(store.url, skip_instance_cache=True)
    files.makedirs(f"{root}/models/2", exist_ok=True)
    files.pipe_file(f"{root}/models/2/b", b"x")
    files.rm(f"{root}/models/1", recursive=True)
    assert not store.exists("models/1/a")
    assert store.exists("models/2/b")
    assert list(store.keys("models")) == ["models/2/b"]
    assert store.folders("models") == ["2"]
    with pytest.raises(FileNotFoundError):
        store.modified_at("models/1/a")


def test_blob_is_stored_and_replaced(store: Blobs) -> None:
    store.put("photographs/a.jpg", b"one")
    store.put("photographs/a.jpg", b"two")
    assert store.get("photographs/a.jpg") == b"two"
    assert store.exists("photographs/a.jpg")


def test_missing_blob_is_not_found(store: Blobs) -> None:
    assert not store.exists("photographs/a.jpg")
    store.delete("photographs/a.jpg")
    with pytest.raises(FileNotFoundError):
        store.get("photographs/a.jpg")


def test_blob_has_a_modification_time(store: Blobs) -> None:
    before = now() - timedelta(seconds=2)  # Some file systems store whole seconds.
    store.put("photographs/a.jpg", b"x")
    assert before <= store.modified_at("photographs/a.jpg") <= now()
    with pytest.raises(FileNotFoundError):
        store.modified_at("photographs/b.jpg")


def test_keys_are_listed_by_folder(store: Blobs) -> None:
    for key in ("models/1/b", "models/1/a", "models/2/c", "photographs/d"):
        store.put(key, b"x")
    store.delete("models/2/c")
    assert list(store.keys("models")) == ["models/1/a", "models/1/b"]
    assert list(store.keys("nothing")) == []


def test_failed_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Blobs(str(tmp_path))
    store.put("photographs/a.jpg", b"before")

    def disk_full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", disk_full)
        with pytest.raises(OSError, match="No space left"):
            store.put("photographs/a.jpg", b"after")
    assert store.get("photographs/a.jpg") == b"before"
    assert [path.name for path in (tmp_path / "photographs").iterdir()] == ["a.jpg"]


def test_unfinished_write_is_not_listed(tmp_path: Path) -> None:
    store = Blobs(str(tmp_path))
    store.put("photographs/a.jpg", b"x")
    (tmp_path / "photographs" / ".b.jpg.123").write_bytes(b"half")
    assert list(store.keys("photographs")) == ["photographs/a.jpg"]


@pytest.mark.parametrize("key", ["../a", "a/../../b", "/etc/passwd", ""])
def test_key_outside_the_store_is_rejected(store: Blobs, key: str) -> None:
    with pytest.raises(BadKeyError):
        store.put(key, b"x")
