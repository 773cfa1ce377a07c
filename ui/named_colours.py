"""Colour spaces that a PNG or AVIF names without a profile, for previews in sRGB. The API converts
the same ones before it grades. Only for small images, since pixels become 64-bit numbers.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_Values = NDArray[np.float64]
# x and y of red, green, blue and white.
_Points = tuple[tuple[float, float], ...]
_D65 = (0.3127, 0.3290)
_SRGB: _Points = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), _D65)
# By code point of ITU-T H.273; all others count as sRGB.
_PRIMARIES: dict[int, _Points] = {
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
_NAMED = b"colrnclx"
_USUAL_GAMMA = (0.4, 0.5)  # PNG gammas that mean sRGB, whose curve is not a pure power.


class Named(NamedTuple):
    """A colour space other than sRGB: its primaries, and the function from values 0..1 to light."""

    points: _Points
    to_light: Callable[[_Values], _Values]


def named_colours(image: Image.Image, data: bytes) -> Named | None:
    """The colour space that the file `data`, opened as `image`, names; None for sRGB, a profile or
    nothing."""
    if image.info.get("icc_profile"):
        return None
    if image.format == "AVIF":
        points = data.partition(_NAMED)[2][:4]
        return _of_code_points(*struct.unpack(">HH", points)) if len(points) == 4 else None
    return _of_png(image, data) if image.format == "PNG" else None


def _of_png(image: Image.Image, data: bytes) -> Named | None:
    points = data[: data.find(b"IDAT")].partition(b"cICP")[2][:2]
    if len(points) == 2:
        return _of_code_points(*points)
    gamma = image.info.get("gamma")
    if "srgb" in image.info or not gamma or not 0.1 <= gamma <= 5:
        return None
    primaries = _points_of(image.info.get("chromaticity"))
    if _USUAL_GAMMA[0] <= gamma <= _USUAL_GAMMA[1]:
        return Named(primaries, _from_srgb)
    return Named(primaries, lambda values: np.asarray(values ** (1 / gamma)))


def in_srgb(image: Image.Image, named: Named) -> Image.Image:
    # As in the API, anything brighter than white in HDR is clipped to white first.
    curve = np.minimum(named.to_light(np.arange(256) / 255), 1)
    light = curve[np.asarray(image.convert("RGB"))]
    if named.points != _SRGB:
        light = light @ (np.linalg.inv(_to_xyz(_SRGB)) @ _to_xyz(named.points)).T
    light = np.clip(light, 0, 1)
    shown = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray(np.rint(255 * shown).astype(np.uint8))


def _of_code_points(primaries: int, transfer: int) -> Named | None:
    if primaries not in _PRIMARIES and transfer not in _CURVES:
        return None
    return Named(_PRIMARIES.get(primaries, _SRGB), _CURVES.get(transfer, _from_srgb))


def _points_of(chromaticity: tuple[float, ...] | None) -> _Points:
    """The primaries in `cHRM`, which has white first; those of sRGB if they are implausible."""
    if not chromaticity or len(chromaticity) != 8 or not all(chromaticity[1::2]):
        return _SRGB
    white, *colours = zip(chromaticity[::2], chromaticity[1::2], strict=True)
    points = (*colours, white)
    return points if abs(np.linalg.det(_columns(points[:3]))) > 1e-6 else _SRGB


def _to_xyz(points: _Points) -> _Values:
    """Linear RGB to XYZ relative to the space's own white, which stays white in sRGB."""
    colours, white = _columns(points[:3]), _columns(points[3:])
    matrix: _Values = colours * np.linalg.solve(colours, white).T / white
    return matrix


def _columns(points: _Points) -> _Values:
    return np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in points]).T


def _from_srgb(values: _Values) -> _Values:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _from_pq(values: _Values) -> _Values:
    """SMPTE ST 2084; 1 for the white of text and paper, 203 of 10,000 cd/m² (BT.2408)."""
    root = values ** (32 / 2523)
    share = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    return np.asarray(10_000 / 203 * share ** (8192 / 1305))


def _from_hlg(values: _Values) -> _Values:
    """BT.2100 on a display of 1000 cd/m²; 1 for 203."""
    bright = (np.exp((values - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return np.asarray(1000 / 203 * np.where(values <= 0.5, values**2 / 3, bright) ** 1.2)


_CURVES: dict[int, Callable[[_Values], _Values]] = {8: np.asarray, 16: _from_pq, 18: _from_hlg}
