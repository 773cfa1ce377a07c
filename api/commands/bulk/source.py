"""Where the photographs lie: a folder, or a bucket that fsspec knows."""

import errno
import os
from collections.abc import Iterator, Sequence
from typing import Any

import fsspec

from api.core.errors import ProblemError
from api.core.imaging.decode import EXTENSIONS

# What a store says when it is away or overloaded, and not that a photograph is missing.
AWAY = (ConnectionError, TimeoutError, BlockingIOError)


class SourceError(ProblemError):
    code = "source-away"

    @classmethod
    def of(cls, address: str, error: Exception) -> "SourceError":
        """Made here, and not by `__init__`, for it goes from one process to another."""
        return cls(
            f"{address} cannot be read ({type(error).__name__}: {error}). Nothing is lost: put it "
            "right and run the same command again, which goes on where this one was."
        )


class NoFolderError(ProblemError):
    code = "no-folder"

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is no folder of photographs. Name one, or s3://bucket/prefix.")


class Source:
    """Photographs under relative paths such as `crate 7/apple.jpg`.

    Raises SourceError from any method where the folder or bucket itself cannot be read.
    """

    def __init__(self, address: str, max_bytes: int) -> None:
        """At most `max_bytes` + 1 bytes are read of a photograph."""
        self._given = address
        self._max_bytes = max_bytes
        try:
            # Buckets would remember what they listed for as long as the process lives.
            self._files, root = fsspec.core.url_to_fs(address, use_listings_cache=False)
        except (ImportError, ValueError, OSError) as error:
            raise SourceError.of(address, error) from error
        self._root: str = root.rstrip("/")
        self._local = "file" in self._files.protocol
        self.address: str = self._files.unstrip_protocol(self._root or "/")

    def photographs(self) -> Iterator[str]:
        """The path of every photograph, sorted; one folder is in memory at a time.

        Hidden files and folders are left out, and a link to a folder is not followed. Raises
        NoFolderError.
        """
        try:
            yield from self._below("")
        except (FileNotFoundError, NotADirectoryError):
            raise NoFolderError(self._given) from None
        except Exception as error:  # Every kind of store has its own.
            raise SourceError.of(self._given, error) from error

    def read(self, paths: Sequence[str]) -> list[bytes | OSError]:
        """The bytes of each photograph, or why it cannot be read; from a bucket all at once."""
        full = [f"{self._root}/{path}" for path in paths]
        found: list[Any] = self._files.cat_ranges(full, 0, self._max_bytes + 1, on_error="return")
        return [self._checked(path, answer) for path, answer in zip(full, found, strict=True)]

    def _checked(self, path: str, answer: Any) -> bytes | OSError:
        if isinstance(answer, OSError) and answer.errno == errno.EINVAL and not self._local:
            # A bucket refuses to give the first bytes of an object that has none.
            answer = self._files.cat_ranges([path], None, None, on_error="return")[0]
        if isinstance(answer, bytes):
            return answer
        if isinstance(answer, OSError) and not isinstance(answer, AWAY):
            return answer
        raise SourceError.of(self._given, answer) from answer

    def _below(self, folder: str) -> Iterator[str]:
        for name in sorted(self._names(folder)):
            if name.endswith("/"):
                yield from self._below(folder + name)
            elif name.lower().endswith(EXTENSIONS):
                yield folder + name

    def _names(self, folder: str) -> Iterator[str]:
        """The names in a folder; those of folders end in a slash, by which they are sorted too."""
        path = f"{self._root}/{folder}"
        if self._local:
            with os.scandir(path) as entries:
                for entry in entries:
                    if not entry.name.startswith("."):
                        folder_too = entry.is_dir(follow_symlinks=False)
                        yield f"{entry.name}/" if folder_too else entry.name
            return
        for found in self._files.ls(path.rstrip("/"), detail=True):
            name = found["name"].rstrip("/").removeprefix(path.rstrip("/")).removeprefix("/")
            # A bucket may list the folder itself: an empty object that stands for it.
            if name and not name.startswith("."):
                yield f"{name}/" if found["type"] == "directory" else name
