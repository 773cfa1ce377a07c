"""Uploaded files, and zips of photos, read entry by entry and never unpacked to disk.

Nothing that the zip says of itself is believed: what is read of it is counted as it comes.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, cast

from api.core.errors import TooLargeError, UnprocessableError
from api.core.layout import SUPPLIED_SPLITS, is_aside

START = (b"PK\x03\x04", b"PK\x05\x06")
ENCRYPTED = 0x1
# The others need much memory to unpack, as much as the zip asks for.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
STEP = 64 * 2**10
# Of the zip's directory, for each file that it may hold: its path and some numbers.
DIRECTORY_BYTES = 512


class FileTooLargeError(TooLargeError):
    code = "file-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The file is longer than {limit / 2**20:.0f} MiB. Send a smaller copy of the picture."
        )


class BrokenArchiveError(UnprocessableError):
    code = "broken-archive"
    detail = "The zip is damaged or cut off. Make it again and send it once more."


class EmptyArchiveError(UnprocessableError):
    code = "empty-archive"
    detail = "The zip holds no photographs. Zip a folder of pictures for each class."


class EncryptedArchiveError(UnprocessableError):
    code = "encrypted-archive"
    detail = "The zip is protected by a password. Send one without."


class TooManyEntriesError(TooLargeError):
    code = "too-many-entries"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The zip holds more than {limit} files, or names that are far too long. Send several "
            "smaller zips."
        )


class ArchiveTooLargeError(TooLargeError):
    code = "archive-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"Unpacked, the zip is longer than {limit / 2**20:.0f} MiB. Send several smaller zips."
        )


class BrokenEntryError(UnprocessableError):
    code = "broken-entry"
    detail = (
        "This file of the zip cannot be unpacked: it is damaged, or packed in a way other than "
        "'deflate'. Make the zip again, or send the file by itself."
    )


class NestedArchiveError(UnprocessableError):
    code = "nested-archive"
    detail = "A zip within a zip is not opened. Send it by itself."


class UnsafePathError(UnprocessableError):
    code = "unsafe-path"
    detail = "The path of this file leads out of the zip. Make the zip again."


@dataclass(frozen=True)
class SentFile:
    """One file of an upload; `stream` is at its start."""

    filename: str
    stream: IO[bytes]


@dataclass(frozen=True)
class UploadForm:
    """The files of an upload, at least one, and the class it names (empty where it names none)."""

    files: tuple[SentFile, ...]
    class_name: str


@dataclass(frozen=True)
class Limits:
    """Of the files in one zip: how many, and how many bytes unpacked, in all and each."""

    files: int
    bytes: int
    file_bytes: int


@dataclass(frozen=True)
class Entry:
    """One file of a zip. `folder` is the last folder above it, empty where there is none."""

    path: str
    folder: str
    info: zipfile.ZipInfo


def is_archive(stream: IO[bytes]) -> bool:
    """Whether the file begins as a zip does."""
    stream.seek(0)
    start = stream.read(4)
    stream.seek(0)
    return start in START


class Archive:
    """An open zip.

    `entries` are its files but for hidden ones, READMEs and what a Mac puts beside. Opening raises
    BrokenArchiveError, EncryptedArchiveError, TooManyEntriesError, ArchiveTooLargeError or
    EmptyArchiveError.
    """

    def __init__(self, stream: IO[bytes], limits: Limits) -> None:
        self._limits = limits
        self._left = limits.bytes
        longest = max(STEP, limits.files * DIRECTORY_BYTES)
        bounded = _Bounded(stream, longest, TooManyEntriesError(limits.files))
        try:
            self._zip = zipfile.ZipFile(cast(IO[bytes], bounded))
        except (TooManyEntriesError, MemoryError):
            raise
        except Exception as error:  # zipfile raises whatever a broken directory leads it to.
            raise BrokenArchiveError() from error
        self.entries = tuple(_entries(self._zip))
        if not self.entries:
            raise EmptyArchiveError()
        if len(self.entries) > limits.files:
            raise TooManyEntriesError(limits.files)
        if sum(entry.info.compress_size for entry in self.entries) > _length(stream):
            raise BrokenArchiveError()  # Entries that share their bytes, to be unpacked once each.
        if any(entry.info.flag_bits & ENCRYPTED for entry in self.entries):
            raise EncryptedArchiveError()
        sizes = [entry.info.file_size for entry in self.entries]
        if sum(size for size in sizes if size <= limits.file_bytes) > limits.bytes:
            raise ArchiveTooLargeError(limits.bytes)

    @property
    def folders(self) -> set[str]:
        return {entry.folder for entry in self.entries if entry.folder}

    def read(self, entry: Entry) -> bytes:
        """The bytes of an entry.

        Raises UnsafePathError, FileTooLargeError, NestedArchiveError, BrokenEntryError, or
        ArchiveTooLargeError once the entries are longer together than the zip said.
        """
        if ".." in PurePosixPath(entry.path).parts or entry.path.startswith("/"):
            raise UnsafePathError()
        if entry.info.file_size > self._limits.file_bytes:
            raise FileTooLargeError(self._limits.file_bytes)
        if entry.info.compress_type not in METHODS:
            raise BrokenEntryError()
        data = bytearray()
        try:
            with self._zip.open(entry.info) as stream:
                while part := stream.read(STEP):
                    data += part
                    self._count(len(part), len(data))
        except (ArchiveTooLargeError, FileTooLargeError, MemoryError):
            raise
        except Exception as error:  # As above.
            raise BrokenEntryError() from error
        if data.startswith(START):
            raise NestedArchiveError()
        return bytes(data)

    def _count(self, added: int, length: int) -> None:
        self._left -= added
        if self._left < 0:
            raise ArchiveTooLargeError(self._limits.bytes)
        if length > self._limits.file_bytes:
            raise FileTooLargeError(self._limits.file_bytes)


def _length(stream: IO[bytes]) -> int:
    place = stream.tell()
    length = stream.seek(0, io.SEEK_END)
    stream.seek(place)
    return length


class _Bounded:
    """A file that gives no more than `longest` bytes at once.

    zipfile reads the directory of a zip in one piece, however long it says that it is.
    """

    def __init__(self, stream: IO[bytes], longest: int, error: Exception) -> None:
        self._stream = stream
        self._longest = longest
        self._error = error
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        if size > self._longest:
            raise self._error
        return self._stream.read(size)


def _entries(archive: zipfile.ZipFile) -> Iterator[Entry]:
    for info in archive.infolist():
        path = PurePosixPath(info.filename.replace("\\", "/"))
        hidden = any(part.startswith(".") and part != ".." for part in path.parts)
        # zipfile's own is_dir fails for an entry without a name.
        is_folder = info.filename.endswith("/")
        if is_folder or hidden or "__MACOSX" in path.parts or is_aside(path.name):
            continue
        folder = path.parent.name
        is_class = folder not in ("", "..") and folder.lower() not in SUPPLIED_SPLITS
        yield Entry(str(path), folder if is_class else "", info)
