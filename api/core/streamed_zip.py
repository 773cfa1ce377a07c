"""A zip that is sent while it is written, so that it is never whole in memory or on disk."""

import io
import zipfile
from typing import Any


class StreamedZip:
    """Send what `add` and `close` return, in that order."""

    def __init__(self) -> None:
        self._stream = _Stream()
        self._archive = zipfile.ZipFile(self._stream, "w")

    def add(self, name: str, data: bytes, *, compress: bool = False) -> bytes:
        """Add a file. Leave photos as they are: they are compressed already."""
        entry = zipfile.ZipInfo(name)  # Without a time: a zip cannot have those of every clock.
        entry.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        self._archive.writestr(entry, data)
        return self._stream.take()

    def close(self) -> bytes:
        """The end of the zip, without which it cannot be opened."""
        self._archive.close()
        return self._stream.take()


class _Stream(io.RawIOBase):
    """Keeps what was written since the last `take`; cannot seek."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
