"""Zips, well-formed and malicious."""

import io
import struct
import zipfile
from collections.abc import Mapping

LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return stream.getvalue()


def encrypted(data: bytes) -> bytes:
    """Mark the first file as encrypted."""
    return _with_field(_with_field(data, LOCAL, 6, "<H", 1), CENTRAL, 8, "<H", 1)


def claiming_size(data: bytes, size: int) -> bytes:
    """Declare a false unpacked size for the first file."""
    return _with_field(_with_field(data, LOCAL, 22, "<I", size), CENTRAL, 24, "<I", size)


def overlapping(data: bytes, times: int) -> bytes:
    """A zip bomb: many directory entries for the same compressed bytes."""
    start = data.index(CENTRAL)
    end = data.rindex(b"PK\x05\x06")
    entry = data[start:end]
    directory = entry * times
    tail = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, times, times, len(directory), start, 0)
    return data[:start] + directory + tail


def _with_field(data: bytes, record: bytes, offset: int, kind: str, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(kind, changed, data.index(record) + offset, value)
    return bytes(changed)
