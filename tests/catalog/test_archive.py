"""Zips are read within their limits, whatever they declare; zip bombs are rejected."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from api.catalog.archive import (
    ArchiveTooLargeError,
    BrokenArchiveError,
    BrokenEntryError,
    EmptyArchiveError,
    EncryptedArchiveError,
    FileTooLargeError,
    NestedArchiveError,
    TooManyEntriesError,
    UnsafePathError,
    UploadLimits,
    ZipArchive,
    is_zip,
)
from api.core.errors import ProblemError
from tests.catalog.zips import claiming_size, encrypted, overlapping, zipped

LIMITS = UploadLimits(zip_files=10, zip_bytes=5_000, file_bytes=1_000)


def open_archive(data: bytes, limits: UploadLimits = LIMITS) -> ZipArchive:
    return ZipArchive(io.BytesIO(data), limits)


def read_all(data: bytes, limits: UploadLimits = LIMITS) -> list[bytes]:
    archive = open_archive(data, limits)
    return [archive.read(entry) for entry in archive.entries]


def test_entries_have_their_class_folder() -> None:
    archive = open_archive(
        zipped(
            {
                "fruits/fresh apples/a.jpg": b"1",
                "fruits/train/pear/b.jpg": b"2",
                "test/pear/c.jpg": b"3",
                "windows\\plum\\d.jpg": b"4",
                "train/e.jpg": b"5",
                "f.jpg": b"6",
            }
        )
    )
    assert [(entry.path, entry.folder) for entry in archive.entries] == [
        ("fruits/fresh apples/a.jpg", "fresh apples"),
        ("fruits/train/pear/b.jpg", "pear"),
        ("test/pear/c.jpg", "pear"),
        ("windows/plum/d.jpg", "plum"),
        ("train/e.jpg", ""),
        ("f.jpg", ""),
    ]
    assert archive.folders == {"fresh apples", "pear", "plum"}
    assert [archive.read(entry) for entry in archive.entries] == [b"%d" % n for n in range(1, 7)]


@pytest.mark.parametrize("slash", ["/", "\\"])
def test_system_folders_and_folder_entries_are_skipped(slash: str) -> None:
    names = ("pear/a.jpg", "pear/", "#recycle/b.jpg", "pear/@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg")
    files = {name.replace("/", slash): b"1" for name in (*names, "pear/Thumbs.db")}
    assert [entry.path for entry in open_archive(zipped(files)).entries] == ["pear/a.jpg"]


def test_hidden_and_metadata_files_are_skipped() -> None:
    data = zipped(
        {
            "pear/": b"",
            "pear/a.jpg": b"1",
            "pear/.DS_Store": b"x",
            "pear/.hidden/b.jpg": b"x",
            "__MACOSX/pear/._a.jpg": b"x",
            "README.txt": b"x",
            "pear/index.csv": b"x",
        }
    )
    assert [entry.path for entry in open_archive(data).entries] == ["pear/a.jpg"]


@pytest.mark.parametrize("path", ["../../evil.jpg", "pear/../../evil.jpg", "/etc/evil.jpg"])
def test_path_traversal_is_rejected(path: str) -> None:
    archive = open_archive(zipped({path: b"1"}))
    with pytest.raises(UnsafePathError):
        archive.read(archive.entries[0])


def test_too_many_files_are_rejected() -> None:
    files = {f"pear/{number}.jpg": b"1" for number in range(10)}
    assert len(read_all(zipped(files))) == 10
    read_all(zipped({**files, "__MACOSX/pear/._1.jpg": b"1"}))
    with pytest.raises(TooManyEntriesError):
        open_archive(zipped({**files, "pear/10.jpg": b"1"}))


def test_huge_central_directory_is_rejected_before_it_is_read() -> None:
    files = {f"{'x' * 60_000}{number}": b"" for number in range(40)}
    data = zipped(files)
    tracemalloc.start()
    with pytest.raises(TooManyEntriesError):
        open_archive(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(data) / 2


def test_zip_bomb_entry_is_rejected_and_others_are_read() -> None:
    archive = open_archive(zipped({"pear/bomb.jpg": bytes(10**7), "pear/a.jpg": b"1"}))
    bomb, other = archive.entries
    with pytest.raises(FileTooLargeError):
        archive.read(bomb)
    assert archive.read(other) == b"1"


def test_zip_bomb_of_many_files_is_rejected() -> None:
    files = {f"pear/{number}.jpg": bytes(1_000) for number in range(5)}
    assert len(read_all(zipped(files))) == 5
    with pytest.raises(ArchiveTooLargeError):
        open_archive(zipped({**files, "pear/5.jpg": b"1"}))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip_bomb_with_a_false_size_is_rejected(method: int) -> None:
    data = claiming_size(zipped({"pear/a.jpg": bytes(10**6)}, method), 10)
    archive = open_archive(data)
    with pytest.raises(BrokenEntryError):
        archive.read(archive.entries[0])


def test_unpacked_bytes_count_towards_the_limit() -> None:
    """Reading an entry several times exceeds the total even though its size is true."""
    archive = open_archive(zipped({"pear/a.jpg": bytes(1_000)}))
    for _ in range(5):
        archive.read(archive.entries[0])
    with pytest.raises(ArchiveTooLargeError):
        archive.read(archive.entries[0])


def test_encrypted_zip_is_rejected() -> None:
    with pytest.raises(EncryptedArchiveError):
        open_archive(encrypted(zipped({"pear/a.jpg": b"1"})))


def test_nested_zip_is_rejected() -> None:
    archive = open_archive(zipped({"pear/inner.zip": zipped({"a.jpg": b"1"})}))
    with pytest.raises(NestedArchiveError):
        archive.read(archive.entries[0])


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_memory_hungry_compression_is_rejected(method: int) -> None:
    archive = open_archive(zipped({"pear/a.jpg": b"1"}, method))
    with pytest.raises(BrokenEntryError):
        archive.read(archive.entries[0])


def test_empty_zip_is_rejected() -> None:
    for files in ({}, {"pear/": b""}, {".hidden": b"1"}):
        with pytest.raises(EmptyArchiveError):
            open_archive(zipped(files))


def test_truncated_zip_is_rejected() -> None:
    data = zipped({"pear/a.jpg": bytes(range(256)), "pear/b.jpg": b"2"})
    for length in range(4, len(data)):
        with pytest.raises(BrokenArchiveError):
            open_archive(data[:length])


def test_damaged_zip_raises_only_client_errors() -> None:
    data = zipped({f"pear/{number}.jpg": bytes(range(200)) for number in range(4)})
    random = np.random.default_rng(3)
    rejected = 0
    for _ in range(1000):
        damaged = bytearray(data)
        for place in random.integers(0, len(data), 3):
            damaged[place] = random.integers(256)
        try:
            read_all(bytes(damaged))
        except ProblemError:
            rejected += 1
    assert rejected > 500


def test_zip_is_recognised_by_its_first_bytes() -> None:
    assert is_zip(io.BytesIO(zipped({"a": b""})))
    assert is_zip(io.BytesIO(zipped({})))
    assert not is_zip(io.BytesIO(b"PK"))
    assert not is_zip(io.BytesIO(b""))
    assert not is_zip(io.BytesIO(b"\xff\xd8\xff\xe0"))


def test_zip_bomb_of_overlapping_entries_is_rejected() -> None:
    bomb = overlapping(zipped({"fresh/a.jpg": np.random.default_rng(1).bytes(900)}), times=5)
    with pytest.raises(BrokenArchiveError):
        open_archive(bomb)


def test_entry_without_a_name_is_read() -> None:
    data = zipped({"a.jpg": b"1", "b.jpg": b"2"}).replace(b"a.jpg", b"\0" * 5)
    archive = open_archive(data)
    assert [archive.read(entry) for entry in archive.entries] == [b"1", b"2"]
