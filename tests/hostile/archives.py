"""Zips that lie, climb, swell or hide in one another."""

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


def zips(picture: bytes) -> Mapping[str, bytes]:
    """One of each kind, by name; `picture` is what stands in them where something does."""
    good = zipped({"freshapples/a.jpg": picture, "rottenapples/b.jpg": picture})
    return {
        "climbing.zip": zipped(
            {
                "../../../etc/passwd": picture,
                "/etc/shadow": picture,
                "a/../../b/c.jpg": picture,
                "C:\\windows\\win.ini": picture,
                "..\\..\\x.jpg": picture,
                "\\\\host\\share\\x.jpg": picture,
                "file:///etc/passwd": picture,
                "s3://bucket/key.jpg": picture,
                "http://127.0.0.1:1/x.jpg": picture,
            }
        ),
        "linked.zip": linked(),
        "swelling.zip": _zeros(60),
        "claiming.zip": claiming_size(good, 2**32 - 2),
        "modest.zip": claiming_size(_zeros(20), 10),
        "nested.zip": nested(picture, 12),
        "many.zip": zipped({f"fresh/{number}.jpg": b"" for number in range(12_000)}),
        "overlapping.zip": overlapping(_zeros(2), 300),
        "same-names.zip": same_names(picture),
        "locked.zip": encrypted(good),
        "lzma.zip": zipped({"fresh/a.jpg": picture}, zipfile.ZIP_LZMA),
        "bzip2.zip": zipped({"fresh/a.jpg": picture}, zipfile.ZIP_BZIP2),
        "unicode.zip": zipped({"frésh/ü\u202e\ud7ff🍎.jpg": picture, "  / .jpg": picture}),
        "folders.zip": zipped({f"{'a/' * 300}x.jpg": picture, "b" * 60_000: picture}),
        "no-end.zip": good[:-30],
        "no-start.zip": good[40:],
        "only-end.zip": b"PK\x05\x06" + b"\0" * 18,
        "false-end.zip": good[:-22] + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 9, 9, 2**31, 0, 0),
        "commented.zip": good[:-2] + struct.pack("<H", 65_535) + b"PK\x05\x06" * 16_000,
        "trailed.zip": good + good + b"x" * 100_000,
        "no-names.zip": good.replace(b"freshapples/a.jpg", b"\0" * 17),
    }


def linked() -> bytes:
    """Entries that say that they are links to files of the machine."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number, target in enumerate(("/etc/passwd", "../../../state/catalog.db", ".")):
            entry = zipfile.ZipInfo(f"fresh/{number}.jpg")
            entry.create_system = 3
            entry.external_attr = SYMLINK
            archive.writestr(entry, target)
    return stream.getvalue()


def nested(picture: bytes, depth: int) -> bytes:
    data = zipped({"fresh/a.jpg": picture})
    for _ in range(depth):
        data = zipped({"fresh/inner.zip": data, "fresh/a.jpg": picture})
    return data


def same_names(picture: bytes) -> bytes:
    data = zipped({f"fresh/{number}.jpg": picture for number in range(10, 30)})
    for number in range(10, 30):
        data = data.replace(f"fresh/{number}.jpg".encode(), b"fresh/10.jpg")
    return data


def broken(files: Mapping[str, bytes], chance: random.Random) -> tuple[str, bytes]:
    """One of the small zips with some of its bytes changed."""
    name = chance.choice([name for name, data in sorted(files.items()) if len(data) < MEGABYTE])
    changed = bytearray(files[name])
    for _ in range(chance.choice((1, 4, 30))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return name, bytes(changed)
