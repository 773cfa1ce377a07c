"""The photos to grade: a folder, or a bucket that fsspec supports."""

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from api.core.errors import ProblemError
from api.core.imaging.decode import EXTENSIONS, START_BYTES, starts_like_photo
from api.core.layout import is_system_folder

# The store is unavailable or overloaded; it is not just a photo that is missing.
UNAVAILABLE = (ConnectionError, TimeoutError, BlockingIOError)


class SourceError(ProblemError):
    code = "source-away"

    @classmethod
    def of(cls, address: str, error: Exception) -> "SourceError":
        """Not in `__init__`, so that the error can be pickled between processes."""
        return cls(
            f"{address} cannot be read ({type(error).__name__}: {error}). Nothing is lost: fix it "
            "and run the same command again to resume."
        )


class NoFolderError(ProblemError):
    code = "no-folder"

    def __init__(self, address: str) -> None:
        super().__init__(
            f"{address} is not a folder of photographs. Name one, or s3://bucket/prefix."
        )


class Source:
    """Photos under relative paths such as `crate 7/apple.jpg`.

    `left_out` counts the other files that `paths` has met, by the end of their names.
    Any method raises SourceError if the folder or bucket itself cannot be read.
    """

    def __init__(self, address: str, max_bytes: int) -> None:
        """Reads at most `max_bytes` + 1 bytes of a photo."""
        self._address_given = address
        self._max_bytes = max_bytes
        try:
            # Otherwise listings are cached for as long as the process lives.
            self._filesystem, root = fsspec.core.url_to_fs(address, use_listings_cache=False)
        except (ImportError, ValueError, OSError) as error:
            raise SourceError.of(address, error) from error
        self._root: str = root.rstrip("/")
        self._local = "file" in self._filesystem.protocol
        self.left_out: Counter[str] = Counter()
        self.address: str = self._filesystem.unstrip_protocol(self._root or "/")

    def paths(self) -> Iterator[str]:
        """The path of every photo, sorted; only one folder is in memory at a time.

        Skips hidden files, system folders, and links to folders. Raises NoFolderError.
        """
        try:
            yield from self._walk("")
        except (FileNotFoundError, NotADirectoryError):
            raise NoFolderError(self._address_given) from None
        except Exception as error:  # Every kind of store raises its own.
            raise SourceError.of(self._address_given, error) from error

    def read(self, paths: Sequence[str]) -> list[bytes | OSError]:
        """The bytes of each photo, or why it cannot be read; from a bucket in parallel."""
        full = [f"{self._root}/{path}" for path in paths]
        end = self._max_bytes + 1
        results: list[Any] = self._filesystem.cat_ranges(full, 0, end, on_error="return")
        return [self._checked(path, result) for path, result in zip(full, results, strict=True)]

    def _checked(self, path: str, result: Any) -> bytes | OSError:
        if isinstance(result, OSError) and result.errno == errno.EINVAL and not self._local:
            # A bucket refuses a byte range of an empty object.
            result = self._filesystem.cat_ranges([path], None, None, on_error="return")[0]
        if isinstance(result, bytes):
            return result
        if isinstance(result, OSError) and not isinstance(result, UNAVAILABLE):
            return result
        raise SourceError.of(self._address_given, result) from result

    def _walk(self, folder: str) -> Iterator[str]:
        for name in sorted(self._names(folder)):
            if name.endswith("/"):
                yield from self._walk(folder + name)
            elif self._is_special(folder + name):
                self.left_out["no ordinary file"] += 1
            elif name.lower().endswith(EXTENSIONS) or (
                "." not in name and self._starts_like_photo(folder + name)
            ):
                yield folder + name
            else:
                self.left_out[PurePosixPath(name).suffix.lower() or "no ending"] += 1

    def _is_special(self, path: str) -> bool:
        """Whether this is a pipe, socket or device, where reading may never end."""
        if not self._local:
            return False
        try:
            mode = Path(self._root, path).stat().st_mode
        except OSError:  # Reading it will report the problem.
            return False
        return not stat.S_ISREG(mode)

    def _starts_like_photo(self, path: str) -> bool:
        try:
            start = self._filesystem.cat_file(f"{self._root}/{path}", start=0, end=START_BYTES)
        except UNAVAILABLE:
            raise
        except OSError:  # A bucket refuses a byte range of an empty object.
            return False
        return starts_like_photo(start)

    def _names(self, folder: str) -> Iterator[str]:
        """The names in a folder; folders end in a slash, so that names sort as full paths do."""
        path = f"{self._root}/{folder}"
        if self._local:
            with os.scandir(path) as entries:
                for entry in entries:
                    is_folder = entry.is_dir(follow_symlinks=False)
                    if not _is_ignored(entry.name, is_folder):
                        yield f"{entry.name}/" if is_folder else entry.name
            return
        for entry in self._filesystem.ls(path.rstrip("/"), detail=True):
            name = entry["name"].rstrip("/").removeprefix(path.rstrip("/")).removeprefix("/")
            # A bucket may list the folder itself, as an empty object.
            is_folder = entry["type"] == "directory"
            if name and not _is_ignored(name, is_folder):
                yield f"{name}/" if is_folder else name


def _is_ignored(name: str, is_folder: bool) -> bool:
    return is_system_folder(name) if is_folder else name.startswith(".")
