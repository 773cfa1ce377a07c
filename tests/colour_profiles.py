"""ICC profiles, made from the published primaries of each colour space."""

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

WHITE_D50 = (0.9642, 1.0, 0.8249)


class Space(NamedTuple):
    """Red, green and blue as rows of XYZ under D50, and the exponent of the tone curve."""

    primaries: tuple[tuple[float, float, float], ...]
    gamma: float


SPACES = {
    "sRGB, nearly": Space(
        ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7139)), 2.2
    ),
    "Display P3": Space(
        ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)), 2.2
    ),
    "Adobe RGB": Space(
        ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)), 2.2
    ),
    "ProPhoto": Space(
        ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249)), 1.8
    ),
}


def rgb_profile(space: Space) -> bytes:
    """A version 2 profile with a matrix and one exponent."""
    columns = zip(("r", "g", "b"), space.primaries, strict=True)
    tags = {f"{letter}XYZ": _xyz(column) for letter, column in columns}
    tags |= {f"{letter}TRC": _curve(space.gamma) for letter in "rgb"}
    return _profile("RGB ", tags)


def grey_profile(gamma: float) -> bytes:
    return _profile("GRAY", {"kTRC": _curve(gamma)})


def cmyk_profile() -> bytes:
    """Inks that multiply their light, as a table from CMYK to Lab with 2 steps per ink."""
    inks = np.array([(0.0, 0.55, 0.85), (0.85, 0.1, 0.5), (0.95, 0.85, 0.05), (0.03, 0.03, 0.03)])
    steps = np.array(np.meshgrid(*[(0, 1)] * 4, indexing="ij")).reshape(4, -1).T
    light = np.prod(np.where(steps[..., None] == 1, inks, 1.0), axis=1)
    table = (np.clip(_lab(light), 0, 65535)).astype(">u2").tobytes()
    line = struct.pack(">HH", 0, 65535)
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    body = struct.pack(">BBBB", 4, 3, 2, 0) + identity + struct.pack(">HH", 2, 2)
    return _profile("CMYK", {"A2B0": b"mft2" + bytes(4) + body + line * 4 + table + line * 3})


def in_space(srgb: Sequence[float], space: Space) -> tuple[int, ...]:
    """The 8-bit values in `space` of a colour given in sRGB (0 to 255)."""
    linear = _linear(np.array(srgb) / 255)
    to_xyz = np.array(SPACES["sRGB, nearly"].primaries).T
    light = np.linalg.solve(np.array(space.primaries).T, to_xyz @ linear)
    return tuple(round(float(v)) for v in 255 * np.clip(light, 0, 1) ** (1 / space.gamma))


def _linear(value: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = np.where(
        value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4
    )
    return result


def _lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear sRGB to Lab in the 16-bit encoding of version 2 profiles."""
    xyz = rgb @ np.array(SPACES["sRGB, nearly"].primaries) / WHITE_D50
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    lab = np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )
    result: NDArray[np.float64] = np.stack(
        [lab[:, 0] * 652.8, (lab[:, 1] + 128) * 256, (lab[:, 2] + 128) * 256], axis=1
    )
    return result


def _profile(space: str, tags: Mapping[str, bytes]) -> bytes:
    kind, connection = ("prtr", "Lab ") if space == "CMYK" else ("mntr", "XYZ ")
    text = b"made for a test\0"
    described = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    every = {
        "desc": described,
        "cprt": b"text" + bytes(4) + b"none\0",
        "wtpt": _xyz(WHITE_D50),
        **tags,
    }
    table, body = b"", b""
    start = 128 + 4 + 12 * len(every)
    for name, content in every.items():
        table += struct.pack(">4sII", name.encode(), start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(
        ">I4xI4s4s4s12x4s24x", start + len(body), 0x02100000, *_codes(kind, space, connection)
    )
    white = struct.pack(">3i", *(round(value * 65536) for value in WHITE_D50))
    return (head + white).ljust(128, b"\0") + struct.pack(">I", len(every)) + table + body


def _codes(kind: str, space: str, connection: str) -> tuple[bytes, ...]:
    return kind.encode(), space.encode(), connection.encode(), b"acsp"


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
