"""The blob store: photos and model packages as bytes under keys, in a local folder or a bucket.

STORAGE_URL names it: a path, or any URL that fsspec knows (`s3://bucket/prefix`).
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal
from uuid import uuid4

import fsspec

from api.storage.failures import StoreError, is_disk_full, store_problem

# Separates the key of a blob from a byte range in it: `predicted/ab12.jpgs#0-9120`.
RANGE = "#"
Access = Literal["read", "written"]
log = logging.getLogger(__name__)


class BadKeyError(ValueError):
    """The key points outside the store. A bug in the program, never a client's mistake."""


@contextmanager
def atomic_write(target: Path, temporary: Path) -> Iterator[BinaryIO]:
    """Write `target` via `temporary`, in the same folder. It is on disk when this returns.

    On an error `target` is unchanged. Raises OSError.
    """
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    # Until its folder is on disk, a power failure could undo the move.
    sync(target.parent)


def sync(path: Path) -> None:
    """Return once a file, or the names in a folder, are on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it. They are on disk when this returns. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


class Blobs:
    """Bytes under keys such as `photographs/ab12.jpg`. Writes with `put` are atomic.

    Every method may raise StoreError; those that write may also raise OSError for a full disk.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        # Other processes write too, so a bucket's listing must not be cached.
        self._fs, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        self._is_local = "file" in self._fs.protocol
        # Why the last access of a kind failed.
        self._problems: dict[Access, str] = {}

    @property
    def problem(self) -> str | None:
        """Why the store cannot be used at the moment, for `/status`."""
        return next(iter(self._problems.values()), None)

    def recheck(self) -> None:
        """If the store failed, check whether it works again. Never raises."""
        if self._problems:
            with suppress(OSError):
                self._check()

    def _check(self) -> None:
        """Write, read and delete a blob."""
        key = f".check.{uuid4().hex}"  # If left behind, swept as an unfinished write.
        self.put(key, b"x")
        self.get(key)
        self.delete(key)

    def put(self, key: str, data: bytes) -> None:
        """Store or replace a blob. It is on disk when this returns."""
        path = self._path(key)
        with self._access("written", path):
            if not self._is_local:
                self._fs.pipe_file(path, data)  # Object stores show an object once it is complete.
                return
            target = Path(path)
            make_folder(target.parent)
            temporary = target.with_name(f".{target.name}.{uuid4().hex}")
            with atomic_write(target, temporary) as stream:
                stream.write(data)

    def put_many(self, key: str, parts: Sequence[bytes]) -> list[str]:
        """Store non-empty `parts` as one blob and return a key for each.

        One file for many parts, since creating a file takes longer than filling it. Deleting one
        part deletes all. Not durable: a power failure may lose the blob, and a process killed here
        may leave it incomplete, before anyone has its keys.
        """
        path, data = self._path(key), b"".join(parts)
        with self._access("written", path):
            if self._is_local:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                try:
                    Path(path).write_bytes(data)
                except OSError:  # On a full disk, the partial file would keep it full.
                    Path(path).unlink(missing_ok=True)
                    raise
            else:
                self._fs.pipe_file(path, data)
        ends = [0, *accumulate(map(len, parts))]
        return [f"{key}{RANGE}{start}-{end}" for start, end in pairwise(ends)]

    def get(self, key: str) -> bytes:
        """Raises FileNotFoundError."""
        byte_range = key.partition(RANGE)[2]
        start, end = map(int, byte_range.split("-")) if byte_range else (None, None)
        path = self._path(key)
        with self._access("read", path):
            data: bytes = self._fs.cat_file(path, start=start, end=end)
        return data

    def get_if_readable(self, key: str) -> bytes | None:
        """As `get`, for one of many blobs; None if it is missing, or only this one cannot be
        read."""
        try:
            return self.get(key)
        except FileNotFoundError:
            return None
        except StoreError as error:
            if not error.is_of_one_file:
                raise
            log.warning("A file is left out. %s", error)
            return None

    def exists(self, key: str) -> bool:
        path = self._path(key)
        try:
            with self._access("read", path):
                # Not `isfile`, which is false for a store that cannot be reached.
                return bool(self._fs.info(path)["type"] == "file")
        except FileNotFoundError:
            return False

    def modified_at(self, key: str) -> datetime:
        """When the blob was stored, in UTC. Raises FileNotFoundError."""
        path = self._path(key)
        with self._access("read", path):
            modified: datetime = self._fs.modified(path)
        return modified.astimezone(UTC)

    def delete(self, key: str) -> None:
        """Delete the blob if it exists."""
        path = self._path(key)
        with self._access("written", path), suppress(FileNotFoundError):
            self._fs.rm_file(path)

    def delete_each(
        self, keys: Iterable[str], delete: Callable[[str], object] | None = None
    ) -> list[str]:
        """Delete blobs one by one, with `delete` if there is more to do for each.

        Returns the keys that cannot be deleted, such as immutable files. Raises StoreError if no
        other blob can be deleted either, since each attempt may take seconds.
        """
        failed = []
        for key in keys:
            try:
                (delete or self.delete)(key)
            except StoreError as error:
                self._check_others()
                log.warning("%s cannot be deleted: %s", key, error)
                failed.append(key)
        return failed

    def _check_others(self) -> None:
        """Raises StoreError if other blobs fail too."""
        try:
            self._check()
        except StoreError:
            raise
        except OSError:  # A full disk, where blobs can still be deleted.
            return

    def keys(self, prefix: str) -> Iterator[str]:
        """Sorted keys under the folder `prefix`, without unfinished writes."""
        root = PurePosixPath(self._root)
        for path in self._find(prefix):
            if not PurePosixPath(path).name.startswith("."):
                yield str(PurePosixPath(path).relative_to(root))

    def folders(self, prefix: str) -> list[str]:
        """Sorted names of the folders directly under `prefix`."""
        path = self._path(prefix)
        try:
            with self._access("read", path):
                entries = self._fs.ls(path, detail=True)
        except FileNotFoundError:
            return []
        return sorted(
            PurePosixPath(entry["name"]).name for entry in entries if entry["type"] == "directory"
        )

    def delete_unfinished(self, before: datetime) -> int:
        """Delete unfinished writes of killed processes, older than `before`; returns how many."""
        if not self._is_local:
            return 0
        deleted = 0
        for path in Path(self._root).rglob(f".*.{'[0-9a-f]' * 32}"):
            try:
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    deleted += 1
            except FileNotFoundError:  # Another process is sweeping too.
                continue
            except OSError as error:
                log.warning("An unfinished write cannot be deleted: %s", error)
        return deleted

    def folder_modified_at(self, prefix: str) -> datetime | None:
        """When anything under `prefix` was last written, unfinished writes included."""
        times = []
        for path in self._find(prefix):
            with self._access("read", path), suppress(FileNotFoundError):  # Just deleted.
                times.append(self._fs.modified(path))
        return max(times, default=None)

    def delete_folder(self, prefix: str) -> None:
        """Delete everything under `prefix`, if it exists."""
        path = self._path(prefix)
        with self._access("written", path), suppress(FileNotFoundError):
            self._fs.rm(path, recursive=True)

    def _find(self, prefix: str) -> list[str]:
        """Sorted paths of all files under the folder `prefix`."""
        path = self._path(prefix)
        with self._access("read", path):
            if not self._is_local:
                return sorted(self._fs.find(path))
            # Not `find`, which takes an unreadable folder for an empty one.
            walk = os.walk(path, onerror=_unless_missing)
            return sorted(f"{folder}/{name}" for folder, _, names in walk for name in names)

    @contextmanager
    def _access(self, kind: Access, path: str) -> Iterator[None]:
        """Raises StoreError for whatever the store raises, except for a missing blob and a full
        disk, whose errors pass unchanged."""
        try:
            yield
        except MemoryError:
            raise
        except Exception as error:  # Each kind of store has its own.
            if isinstance(error, FileNotFoundError) and kind == "read":
                self._problems.pop(kind, None)
                raise
            self._problems[kind] = store_problem(error, kind)
            if is_disk_full(error):
                if isinstance(error, OSError):
                    error.filename = error.filename or path
                raise
            raise StoreError.of(error, path) from error
        self._problems.pop(kind, None)

    def _path(self, key: str) -> str:
        """Path of the blob that holds `key`."""
        blob = PurePosixPath(key.partition(RANGE)[0])
        if not blob.parts or ".." in blob.parts or blob.is_absolute():
            raise BadKeyError(key)
        return f"{self._root.rstrip('/')}/{blob}"


def _unless_missing(error: OSError) -> None:
    """Raises `error` unless the folder was never made, or just deleted."""
    if not isinstance(error, FileNotFoundError):
        raise error
