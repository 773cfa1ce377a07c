"""Uploaded zips, read entry by entry in memory, and safe against zip bombs.

Sizes that the zip declares are checked first but not trusted: bytes are counted as they unpack.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Self, cast

from api.core.errors import ProblemError, TooLargeError, UnprocessableError
from api.core.formatting import printable
from api.core.layout import (
    folders_of_splits,
    has_class,
    is_ignored,
    is_system_folder,
    may_name_class,
)
from api.settings import Settings

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
ENCRYPTED_FLAG, UTF8_FLAG = 0x1, 0x800
EXTRA_HEAD = struct.Struct("<HH")
UNICODE_PATH = 0x7075
# Others (LZMA, bzip2) take as much memory to unpack as the zip asks for.
COMPRESSION_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
CHUNK_BYTES = 64 * 2**10
# Allowed size of the zip's central directory, per file.
DIRECTORY_ENTRY_BYTES = 512


class FileTooLargeError(TooLargeError):
    code = "file-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The file is larger than {limit / 2**20:.0f} MiB. Send a smaller copy of the photo."
        )


class BrokenArchiveError(UnprocessableError):
    code = "broken-archive"
    detail = "The zip is damaged or cut off. Make it again and send it once more."


class EmptyArchiveError(UnprocessableError):
    code = "empty-archive"
    detail = "The zip holds no photos. Zip a folder of photos for each class."


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
            f"Unpacked, the zip is larger than {limit / 2**20:.0f} MiB. Send several smaller zips."
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
    """One uploaded file. `stream` is at its start."""

    filename: str
    stream: IO[bytes]

    def read(self, max_bytes: int) -> bytes:
        """Raises FileTooLargeError."""
        data = self.stream.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise FileTooLargeError(max_bytes)
        return data


@dataclass(frozen=True)
class UploadForm:
    """One or more uploaded files and their class, empty if the form names none.

    `new_class`: whether a class is new although its name looks like that of a known one.
    """

    files: tuple[SentFile, ...]
    class_name: str
    new_class: bool = False


@dataclass(frozen=True)
class UploadLimits:
    """Files in one zip, their total unpacked bytes, and bytes of any one file."""

    zip_files: int
    zip_bytes: int
    file_bytes: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.max_zip_files, settings.max_zip_bytes, settings.max_body_bytes)


class UnreadableFolderNameError(UnprocessableError):
    code = "unreadable-folder-name"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"The zip does not say in which encoding its names are, and the folders of {path} are "
            "not in UTF-8, so the class cannot be read. Make the zip again with names in UTF-8 "
            "(7-Zip: cu=on), or give the folder a name of English letters."
        )


@dataclass(frozen=True)
class Entry:
    """One file in a zip.

    `folders` are the enclosing ones that may name its class, outermost first; `folder` is the
    innermost of them, or empty. `has_readable_folders` is false if their encoding is not known.
    """

    path: str
    folders: tuple[str, ...]
    info: zipfile.ZipInfo
    has_readable_folders: bool

    @property
    def folder(self) -> str:
        return self.folders[-1] if self.folders else ""


def is_zip(stream: IO[bytes]) -> bool:
    stream.seek(0)
    start = stream.read(4)
    stream.seek(0)
    return start in MAGIC


class ZipArchive:
    """An open zip.

    `entries` leaves out hidden files, READMEs, and system folders and files. Opening raises
    BrokenArchiveError, EncryptedArchiveError, TooManyEntriesError, ArchiveTooLargeError or
    EmptyArchiveError.
    """

    def __init__(self, stream: IO[bytes], limits: UploadLimits) -> None:
        self._limits = limits
        self._bytes_left = limits.zip_bytes
        max_read = max(CHUNK_BYTES, limits.zip_files * DIRECTORY_ENTRY_BYTES)
        bounded = _BoundedReader(stream, max_read, TooManyEntriesError(limits.zip_files))
        try:
            self._zip = zipfile.ZipFile(cast(IO[bytes], bounded))
        except (TooManyEntriesError, MemoryError):
            raise
        except Exception as error:  # zipfile raises almost anything on damaged input.
            raise BrokenArchiveError() from error
        self.entries = tuple(_photo_entries(self._zip))
        if not self.entries:
            raise EmptyArchiveError()
        if len(self.entries) > limits.zip_files:
            raise TooManyEntriesError(limits.zip_files)
        # Overlapping entries share compressed bytes, a kind of zip bomb.
        length = stream.seek(0, io.SEEK_END)
        if sum(entry.info.compress_size for entry in self.entries) > length:
            raise BrokenArchiveError()
        if any(entry.info.flag_bits & ENCRYPTED_FLAG for entry in self.entries):
            raise EncryptedArchiveError()
        sizes = [entry.info.file_size for entry in self.entries]
        if sum(size for size in sizes if size <= limits.file_bytes) > limits.zip_bytes:
            raise ArchiveTooLargeError(limits.zip_bytes)

    @property
    def folders(self) -> set[str]:
        return {entry.folder for entry in self.entries if entry.folder}

    def read_all(self, zip_name: str) -> Iterator[tuple[Entry, str, bytes | ProblemError]]:
        """Every entry, its path under `zip_name`, and its bytes or the error of reading it."""
        for entry in self.entries:
            path = f"{zip_name}/{printable(entry.path)}"
            try:
                yield entry, path, self.read(entry)
            except ArchiveTooLargeError as error:  # The rest is not read.
                yield entry, path, error
                return
            except ProblemError as error:
                yield entry, path, error

    def read(self, entry: Entry) -> bytes:
        """Unpack one entry.

        Raises UnsafePathError, FileTooLargeError, NestedArchiveError, BrokenEntryError, or
        ArchiveTooLargeError once the entries read so far exceed the limit for the whole zip.
        """
        if ".." in PurePosixPath(entry.path).parts or entry.path.startswith("/"):
            raise UnsafePathError()
        if entry.info.file_size > self._limits.file_bytes:
            raise FileTooLargeError(self._limits.file_bytes)
        if entry.info.compress_type not in COMPRESSION_METHODS:
            raise BrokenEntryError()
        data = bytearray()
        try:
            with self._zip.open(entry.info) as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    data += chunk
                    # Stops a zip bomb while it unpacks.
                    self._bytes_left -= len(chunk)
                    if self._bytes_left < 0:
                        raise ArchiveTooLargeError(self._limits.zip_bytes)
                    if len(data) > self._limits.file_bytes:
                        raise FileTooLargeError(self._limits.file_bytes)
        except (ArchiveTooLargeError, FileTooLargeError, MemoryError):
            raise
        except Exception as error:  # As above.
            raise BrokenEntryError() from error
        if data.startswith(MAGIC):
            raise NestedArchiveError()
        return bytes(data)


class _BoundedReader:
    """A file that refuses to read more than `max_read` bytes at once.

    zipfile reads the central directory in one call, whatever size it declares.
    """

    def __init__(self, stream: IO[bytes], max_read: int, error: Exception) -> None:
        self._stream = stream
        self._max_read = max_read
        self._error = error
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        if size > self._max_read:
            raise self._error
        return self._stream.read(size)


def _photo_entries(archive: zipfile.ZipFile) -> Iterator[Entry]:
    found: list[tuple[PurePosixPath, zipfile.ZipInfo, bool]] = []
    for info in archive.infolist():
        name, is_known = _name_of(info)
        name = name.replace("\\", "/")
        path = PurePosixPath(name)
        of_system = any(is_system_folder(part) and part != ".." for part in path.parts[:-1])
        # ZipInfo.is_dir fails for an entry without a name, and for the backslash of some programs.
        is_folder = name.endswith("/")
        if not (is_folder or of_system or is_ignored(path.name)):
            found.append((path, info, is_known))
    of_splits = folders_of_splits(_folders(path) for path, _, _ in found)
    for path, info, is_known in found:
        folders = _folders(path)
        named = tuple(filter(may_name_class, folders)) if has_class(folders, of_splits) else ()
        yield Entry(str(path), named, info, is_known or "".join(named).isascii())


def _folders(path: PurePosixPath) -> tuple[str, ...]:
    return tuple(name for name in path.parts[:-1] if name not in ("..", "/"))


def _name_of(info: zipfile.ZipInfo) -> tuple[str, bool]:
    """An entry's path, and whether it is certain.

    Without a flag for UTF-8, names are in code page 437 by the standard. In practice macOS writes
    UTF-8, and Windows the code page of its language.
    """
    if info.flag_bits & UTF8_FLAG or info.filename.isascii():
        return info.filename, True
    try:
        raw = info.filename.encode("cp437")
        return (_unicode_path(info.extra, raw) or raw).decode("utf-8"), True
    except UnicodeError:
        return info.filename, False


def _unicode_path(extra: bytes, name: bytes) -> bytes | None:
    """The name in UTF-8 that an extra field of WinZip or Info-ZIP gives for `name`."""
    while len(extra) >= EXTRA_HEAD.size:
        kind, length = EXTRA_HEAD.unpack_from(extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        # A version, a checksum of the name, and the name in UTF-8.
        if kind == UNICODE_PATH and field[1:5] == struct.pack("<I", zlib.crc32(name)):
            return field[5:]
    return None
