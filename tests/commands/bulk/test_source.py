"""Listing and reading photos in a folder and in a bucket."""

import os
from pathlib import Path

import pytest
from s3fs import S3FileSystem

from api.commands.bulk.source import NoFolderError, Source, SourceError
from tests.commands.bulk.photographs import MAX_BYTES, PATHS, contents, put
from tests.processes import free_port


@pytest.fixture(params=["folder", "bucket", "memory"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "bucket":
        return f"{request.getfixturevalue('bucket')}/some/prefix"
    return str(tmp_path / "photographs") if request.param == "folder" else f"memory://{tmp_path}"


def test_paths_are_sorted(address: str) -> None:
    source = Source(put(address, contents()), MAX_BYTES)
    assert list(source.paths()) == PATHS == sorted(PATHS)


ODD_NAMES = ["a.jfif", "b.JPE", "c.hif", "d.avif", "e.mpo", "no ending", "no ending either"]


def test_photos_are_found_by_odd_names_and_the_rest_is_counted(address: str) -> None:
    photo = contents()["B.JPG"]
    others = {"a.txt": b"x", "b.gif": b"x", "c.gif": b"x", "LICENSE": b"words", "empty": b""}
    source = Source(put(address, dict.fromkeys(ODD_NAMES, photo) | others), MAX_BYTES)
    assert list(source.paths()) == ODD_NAMES
    assert source.left_out == {".txt": 1, ".gif": 2, "no ending": 2}


def test_system_folders_are_skipped(address: str) -> None:
    photo = contents()["B.JPG"]
    names = ["a.jpg", "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "b/#recycle/c.jpg", "lost+found/d.jpg"]
    source = Source(put(address, dict.fromkeys(names, photo)), MAX_BYTES)
    assert list(source.paths()) == ["a.jpg"]


def test_pipes_are_not_read(tmp_path: Path) -> None:
    """Reading one would block forever."""
    for name in ("pipe.jpg", "pipe without ending"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "gone.jpg").symlink_to("nowhere")
    source = Source(str(tmp_path), MAX_BYTES)
    assert list(source.paths()) == ["gone.jpg"]
    assert source.left_out == {"no ordinary file": 2}
    assert isinstance(source.read(["gone.jpg"])[0], FileNotFoundError)


def test_read_keeps_the_order(address: str) -> None:
    files = contents()
    source = Source(put(f"{address}/", files), MAX_BYTES)
    requested = [*reversed(PATHS), "a/gone.jpg"]
    *contents_read, missing = source.read(requested)
    assert contents_read == [files[path][: MAX_BYTES + 1] for path in reversed(PATHS)]
    assert isinstance(missing, FileNotFoundError)


def test_missing_folder_is_rejected(address: str) -> None:
    with pytest.raises(NoFolderError, match="is not a folder"):
        list(Source(f"{address}/nothing", MAX_BYTES).paths())


def test_file_instead_of_a_folder_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    with pytest.raises(NoFolderError):
        list(Source(str(tmp_path / "a.jpg"), MAX_BYTES).paths())


def test_unknown_protocol_is_rejected() -> None:
    with pytest.raises(SourceError, match="nonsense"):
        Source("nonsense://bucket", MAX_BYTES)


def test_unavailable_store_is_not_an_error_of_a_photo(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    S3FileSystem.clear_instance_cache()  # A cached connection would keep working.
    try:
        source = Source(bucket, MAX_BYTES)
        with pytest.raises(SourceError, match="again to resume"):
            list(source.paths())
        with pytest.raises(SourceError, match="again to resume"):
            source.read(["a.jpg"])
    finally:
        S3FileSystem.clear_instance_cache()


def test_non_utf_8_file_names_are_listed(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    (tmp_path / name).write_bytes(b"x")
    source = Source(str(tmp_path), MAX_BYTES)
    assert list(source.paths()) == [name]
    assert source.read([name]) == [b"x"]
