"""Hostile zips: path traversal, bombs, false headers, nesting."""

import io
import random
import struct
import zipfile
from collections.abc import Mapping
from functools import cache

from tests.catalog.zips import claiming_size, encrypted, overlapping, zipped

MEGABYTE = 2**20
SYMLINK = 0o120777 << 16


@cache
def _zeros(megabytes: int) -> bytes:
    return zipped({"fresh/zeros.jpg": b"\0" * (megabytes * MEGABYTE)})


def zips(image: bytes) -> Mapping[str, bytes]:
    """One zip of each kind by name; `image` is the content of their entries."""
    good = zipped({"freshapples/a.jpg": image, "rottenapples/b.jpg": image})
    return {
        "climbing.zip": zipped(
            {
                "../../../etc/passwd": image,
                "/etc/shadow": image,
                "a/../../b/c.jpg": image,
                "C:\\windows\\win.ini": image,
                "..\\..\\x.jpg": image,
                "\\\\host\\share\\x.jpg": image,
                "file:///etc/passwd": image,
                "s3://bucket/key.jpg": image,
                "http://127.0.0.1:1/x.jpg": image,
            }
        ),
        "linked.zip": linked(),
        "swelling.zip": _zeros(60),
        "claiming.zip": claiming_size(good, 2**32 - 2),
        "modest.zip": claiming_size(_zeros(20), 10),
        "nested.zip": nested(image, 12),
        "many.zip": zipped({f"fresh/{number}.jpg": b"" for number in range(12_000)}),
        "overlapping.zip": overlapping(_zeros(2), 300),
        "same-names.zip": same_names(image),
        "locked.zip": encrypted(good),
        "lzma.zip": zipped({"fresh/a.jpg": image}, zipfile.ZIP_LZMA),
        "bzip2.zip": zipped({"fresh/a.jpg": image}, zipfile.ZIP_BZIP2),
        "unicode.zip": zipped({"frésh/ü\u202e\ud7ff🍎.jpg": image, "  / .jpg": image}),
        "folders.zip": zipped({f"{'a/' * 300}x.jpg": image, "b" * 60_000: image}),
        "no-end.zip": good[:-30],
        "no-start.zip": good[40:],
        "only-end.zip": b"PK\x05\x06" + b"\0" * 18,
        "false-end.zip": good[:-22] + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 9, 9, 2**31, 0, 0),
        "commented.zip": good[:-2] + struct.pack("<H", 65_535) + b"PK\x05\x06" * 16_000,
        "trailed.zip": good + good + b"x" * 100_000,
        "no-names.zip": good.replace(b"freshapples/a.jpg", b"\0" * 17),
    }


def linked() -> bytes:
    """A zip whose entries are symbolic links to files outside."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number, target in enumerate(("/etc/passwd", "../../../state/catalog.db", ".")):
            entry = zipfile.ZipInfo(f"fresh/{number}.jpg")
            entry.create_system = 3
            entry.external_attr = SYMLINK
            archive.writestr(entry, target)
    return stream.getvalue()


def nested(image: bytes, depth: int) -> bytes:
    data = zipped({"fresh/a.jpg": image})
    for _ in range(depth):
        data = zipped({"fresh/inner.zip": data, "fresh/a.jpg": image})
    return data


def same_names(image: bytes) -> bytes:
    data = zipped({f"fresh/{number}.jpg": image for number in range(10, 30)})
    for number in range(10, 30):
        data = data.replace(f"fresh/{number}.jpg".encode(), b"fresh/10.jpg")
    return data


def corrupted(files: Mapping[str, bytes], rng: random.Random) -> tuple[str, bytes]:
    """One of the small zips with some bytes changed."""
    name = rng.choice([name for name, data in sorted(files.items()) if len(data) < MEGABYTE])
    changed = bytearray(files[name])
    for _ in range(rng.choice((1, 4, 30))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return name, bytes(changed)
