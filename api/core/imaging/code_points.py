"""ICC profiles for the colour spaces that a file names without embedding a profile.

HEIF, AVIF and PNG may give code points (ITU-T H.273), PNG also its primaries and a gamma. Phones,
cameras and screenshots name Display P3 and BT.2020 this way. Imports no NumPy, like `colour`.
"""

import math
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache

from PIL import Image

# x and y of red, green, blue and white.
Chromaticities = tuple[tuple[float, float], ...]
_D65 = (0.3127, 0.3290)
_BT709: Chromaticities = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), _D65)
# By code point. All others, and 2 for "not known", count as sRGB, as in viewers.
_PRIMARIES: dict[int, Chromaticities] = {
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
_LINEAR, _PQ, _HLG = 8, 16, 18
# White of text and paper in HDR pictures (BT.2408), in cd/m²; anything brighter becomes white.
_WHITE, _PQ_PEAK, _HLG_PEAK = 203, 10_000, 1000
_NAMED = b"colrnclx"
_STEPS = 1024
_CURVED_GAMMA = (0.4, 0.5)  # PNG gammas that mean sRGB, whose curve is not a pure power.
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
# Class, colour space and connection space of a profile.
_KIND = (b"mntr", b"RGB ", b"XYZ ")
_Matrix = Sequence[Sequence[float]]


def add_named_profile(image: Image.Image, data: bytes) -> None:
    """Attach the profile of the colour space that the file names, unless one is embedded."""
    if image.info.get("icc_profile"):
        return
    if image.format in ("HEIF", "AVIF"):
        start = data.find(_NAMED) + len(_NAMED)
        if len(_NAMED) <= start <= len(data) - 4:
            _add(image, _of_code_points(*struct.unpack_from(">HH", data, start)))
    elif image.format == "PNG":
        points = data[: data.find(b"IDAT")].partition(b"cICP")[2][:2]
        if len(points) == 2:
            _add(image, _of_code_points(*points))
        elif "srgb" not in image.info:
            _add(image, _of_png(image.info.get("chromaticity"), image.info.get("gamma")))


def _add(image: Image.Image, profile: bytes | None) -> None:
    if profile:
        image.info["icc_profile"] = profile


@lru_cache
def _of_code_points(primaries: int, transfer: int) -> bytes | None:
    """None for sRGB."""
    if primaries not in _PRIMARIES and transfer not in (_LINEAR, _PQ, _HLG):
        return None
    curve = {_LINEAR: _linear, _PQ: _pq, _HLG: _hlg}.get(transfer, _srgb)
    return _profile(_PRIMARIES.get(primaries, _BT709), curve)


@lru_cache
def _of_png(chromaticity: tuple[float, ...] | None, gamma: float | None) -> bytes | None:
    """From `cHRM` (white first) and `gAMA`; None if they make no sense."""
    if not gamma or not 0.1 <= gamma <= 5:
        return None
    is_srgb = _CURVED_GAMMA[0] <= gamma <= _CURVED_GAMMA[1]
    curve = _srgb if is_srgb else lambda value: float(value ** (1 / gamma))
    points = _BT709
    if chromaticity and len(chromaticity) == 8:
        white, *colours = zip(chromaticity[::2], chromaticity[1::2], strict=True)
        points = (*colours, white)
    try:
        return _profile(points, curve)
    except ZeroDivisionError:
        return None


def _profile(points: Chromaticities, curve: Callable[[float], float]) -> bytes:
    """A profile of version 2: a matrix and one curve for the three colours."""
    steps = [min(1.0, curve(step / (_STEPS - 1))) for step in range(_STEPS)]
    table = struct.pack(f">I{_STEPS}H", _STEPS, *(round(65535 * max(0.0, step)) for step in steps))
    columns = list(zip(*_to_xyz_d50(points), strict=True))
    contents = {
        **{b"%cXYZ" % letter: _xyz(column) for letter, column in zip(b"rgb", columns, strict=True)},
        b"wtpt": _xyz(_D50),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 1) + bytes(83),
        b"rTRC": b"curv" + bytes(4) + table,
    }
    start = 128 + 4 + 12 * (len(contents) + 2)
    directory, body = [], b""
    for name, content in contents.items():
        directory.append((name, start + len(body), len(content)))
        body += content
    directory += [(name, *directory[-1][1:]) for name in (b"gTRC", b"bTRC")]
    head = struct.pack(">I4xI4s4s4s12x4s24x", start + len(body), 0x02100000, *_KIND, b"acsp")
    head = (head + _xyz(_D50)[8:]).ljust(128, b"\0") + struct.pack(">I", len(directory))
    return head + b"".join(struct.pack(">4sII", *entry) for entry in directory) + body


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * value) for value in values))


def _to_xyz_d50(points: Chromaticities) -> _Matrix:
    """The matrix from linear RGB to XYZ under D50, the white of profiles."""
    *colours, white = ((x / y, 1.0, (1 - x - y) / y) for x, y in points)
    shape = list(zip(*colours, strict=True))
    scale = _times(_inverse(shape), [[value] for value in white])
    to_xyz = [[value * scale[at][0] for at, value in enumerate(row)] for row in shape]
    cones = [_times(_BRADFORD, [[value] for value in light]) for light in (_D50, white)]
    ratio = [
        [cones[0][row][0] / cones[1][row][0] if row == column else 0.0 for column in range(3)]
        for row in range(3)
    ]
    return _times(_times(_inverse(_BRADFORD), _times(ratio, _BRADFORD)), to_xyz)


def _times(left: _Matrix, right: _Matrix) -> list[list[float]]:
    columns = list(zip(*right, strict=True))
    return [[sum(map(float.__mul__, row, column)) for column in columns] for row in left]


def _inverse(matrix: _Matrix) -> list[list[float]]:
    """The inverse of a 3 x 3: the cross products of its rows over its determinant, as columns."""
    first, second, third = matrix
    crosses = [_cross(second, third), _cross(third, first), _cross(first, second)]
    determinant = sum(a * b for a, b in zip(first, crosses[0], strict=True))
    return [[cross[row] / determinant for cross in crosses] for row in range(3)]


def _cross(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


def _linear(value: float) -> float:
    return value


def _srgb(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _pq(value: float) -> float:
    """Perceptual quantiser (SMPTE ST 2084), 1 for white."""
    root = value ** (32 / 2523)
    share = max(root - 0.8359375, 0.0) / (18.8515625 - 18.6875 * root)
    return float(_PQ_PEAK / _WHITE * share ** (8192 / 1305))


def _hlg(value: float) -> float:
    """Hybrid log-gamma (BT.2100) on a display of 1000 cd/m², 1 for white."""
    if value <= 0.5:
        light = value**2 / 3
    else:
        light = (math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return float(_HLG_PEAK / _WHITE * light**1.2)
