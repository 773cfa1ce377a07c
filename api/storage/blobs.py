"""Photographs and model packages as bytes under keys: a local folder, or a bucket.

STORAGE_URL names it: a path, or an address that fsspec knows (`s3://bucket/prefix`).
"""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from pathlib import Path, PurePosixPath
from uuid import uuid4

import fsspec

# Between the key of a blob and the place of a part in it: `predicted/ab12.jpgs#0-9120`.
PART = "#"


class BadKeyError(ValueError):
    """A key that would lead out of the store: a fault of the program, never of a client."""


class Blobs:
    """Bytes under keys such as `photographs/ab12.jpg`.

    A blob that `put` stores is there whole or not at all; none is told of before it is there.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        # Others write there too: what a bucket listed a moment ago must be asked for again.
        self._files, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        self._local = "file" in self._files.protocol

    def put(self, key: str, data: bytes) -> None:
        """Store `data`; it is on disk when this returns. An older blob of the key is replaced."""
        path = self._path(key)
        if not self._local:
            self._files.pipe_file(path, data)  # A bucket shows an object when it is whole.
            return
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, data)
        _sync_folder(target.parent)

    def put_many(self, key: str, parts: Sequence[bytes]) -> list[str]:
        """Store as one blob what nobody was promised; gives the key of each of `parts`, none empty.

        Making a file takes longer than filling it. Deleting one of the parts deletes all. They may
        be lost if the power fails now, and a process that is killed meanwhile may leave them cut
        short, under keys that nobody was told.
        """
        path, data = self._path(key), b"".join(parts)
        if self._local:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(data)
        else:
            self._files.pipe_file(path, data)
        ends = [0, *accumulate(map(len, parts))]
        return [f"{key}{PART}{start}-{end}" for start, end in pairwise(ends)]

    def get(self, key: str) -> bytes:
        """Raises FileNotFoundError."""
        part = key.partition(PART)[2]
        start, end = map(int, part.split("-")) if part else (None, None)
        data: bytes = self._files.cat_file(self._path(key), start=start, end=end)
        return data

    def exists(self, key: str) -> bool:
        return bool(self._files.isfile(self._path(key)))

    def modified_at(self, key: str) -> datetime:
        """When the blob was stored, in UTC. Raises FileNotFoundError."""
        written: datetime = self._files.modified(self._path(key))
        return written.astimezone(UTC)

    def delete(self, key: str) -> None:
        """Remove the blob; one that is not there is no error."""
        try:
            self._files.rm_file(self._path(key))
        except FileNotFoundError:
            return

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys under the folder `prefix`, sorted; unfinished writes are not among them."""
        folder = self._path(prefix)
        root = PurePosixPath(self._root)
        for path in sorted(self._files.find(folder)):
            if not PurePosixPath(path).name.startswith("."):
                yield str(PurePosixPath(path).relative_to(root))

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders in the folder `prefix`, sorted."""
        try:
            found = self._files.ls(self._path(prefix), detail=True)
        except FileNotFoundError:
            return []
        return sorted(
            PurePosixPath(entry["name"]).name for entry in found if entry["type"] == "directory"
        )

    def modified(self, prefix: str) -> datetime | None:
        """When anything in the folder `prefix` was last written, be it finished or not."""
        paths = self._files.find(self._path(prefix))
        return max((self._files.modified(path) for path in paths), default=None)

    def delete_folder(self, prefix: str) -> None:
        """Remove all that is in the folder `prefix`; one that is not there is no error."""
        try:
            self._files.rm(self._path(prefix), recursive=True)
        except FileNotFoundError:
            return

    def _path(self, key: str) -> str:
        """Of the blob that `key` is or is a part of."""
        whole = key.partition(PART)[0]
        parts = PurePosixPath(whole).parts
        if not parts or ".." in parts or PurePosixPath(whole).is_absolute():
            raise BadKeyError(key)
        return f"{self._root.rstrip('/')}/{whole}"


def _write(target: Path, data: bytes) -> None:
    temporary = target.with_name(f".{target.name}.{uuid4().hex}")
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(target)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
