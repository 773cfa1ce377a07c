"""A drawn tray of fruits, shaded enough that the default model finds and grades them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Floats = NDArray[np.float64]
# Gives smooth noise; the argument is the blobs' size as a fraction of the radius: 6 is a sixth.
Mottle = Callable[[int], Floats]
_LIGHT = np.array((-0.45, -0.55, 0.7)) / np.linalg.norm((-0.45, -0.55, 0.7))


class Fruit(NamedTuple):
    """A fruit on the tray: its class, and its centre and radius in widths of the tray."""

    class_name: str
    x: float
    y: float
    radius: float


TRAY = (
    Fruit("freshapples", 0.17, 0.20, 0.105),
    Fruit("freshoranges", 0.44, 0.19, 0.105),
    Fruit("freshapples", 0.72, 0.21, 0.10),
    Fruit("freshoranges", 0.20, 0.54, 0.11),
    Fruit("rottenoranges", 0.49, 0.52, 0.105),
    Fruit("freshbanana", 0.79, 0.54, 0.15),
)


def rearranged(turns: int) -> list[Fruit]:
    """The same fruits, each moved on by `turns` places: another photo, not a copy."""
    places = [TRAY[(number + turns) % len(TRAY)] for number in range(len(TRAY))]
    return [
        place._replace(class_name=fruit.class_name)
        for place, fruit in zip(places, TRAY, strict=True)
    ]


def draw_tray_of(fruits: Sequence[Fruit] = TRAY, width: int = 1200, seed: int = 0) -> Image.Image:
    """The fruits on a wooden board whose height is three quarters of its width."""
    random = np.random.default_rng(seed)
    height = width * 3 // 4
    scene = _board(width, height, random)
    for fruit in fruits:
        _put(scene, fruit, random)
    scene = ndimage.gaussian_filter(scene, (0.7, 0.7, 0)) + random.normal(0, 2, scene.shape)
    return Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))


def _board(width: int, height: int, random: np.random.Generator) -> Floats:
    """Planks of wood, float [height, width, 3]."""
    y, x = np.mgrid[0:height, 0:width] / width
    bent = ndimage.zoom(random.normal(0, 1, (6, 8)), (height / 6, width / 8), order=3)
    grain = np.sin(2 * np.pi * (60 * y + 0.5 * bent))
    wood: Floats = np.array((196, 164, 124)) * (1 + 0.035 * grain)[..., None]
    wood *= (1 + 0.10 * (0.5 - x) + 0.08 * (0.4 - y))[..., None]
    plank = height // 4
    wood[np.arange(height) % plank < max(2, width // 300)] *= 0.72
    wood += random.normal(0, 3, (height, width, 1))
    return wood


def _put(scene: Floats, fruit: Fruit, random: np.random.Generator) -> None:
    """Paint the fruit with its shadow."""
    height, width = scene.shape[:2]
    radius = fruit.radius * width
    part = _around(fruit, width, height)
    scene = scene[part]

    def mottle(divisor: int) -> Floats:
        noise = random.normal(0, 1, (height, width))[part]
        smooth: Floats = ndimage.gaussian_filter(noise, radius / divisor)
        smooth *= radius / divisor
        return smooth

    y, x = np.mgrid[part].astype(float)
    u, v = (x - fruit.x * width) / radius, (y - fruit.y * width) / radius
    banana = "banana" in fruit.class_name
    inside, normal, along = _banana(u, v) if banana else _ball(u, v)
    shadow = ndimage.shift(inside.astype(float), (radius * 0.18,) * 2)
    shadow = ndimage.gaussian_filter(shadow, radius * 0.10)
    scene *= (1 - 0.55 * shadow)[..., None]
    skin = _skin(fruit.class_name, u, v, along, mottle)
    rotten = "rotten" in fruit.class_name
    if rotten:
        skin = _rot(skin, u, v, mottle, random)
    light = np.clip(normal @ _LIGHT, 0, 1)
    bright = 0.42 + 0.68 * light
    shine = 60 * np.clip(2 * light * normal[..., 2] - _LIGHT[2], 0, 1) ** (40 if not banana else 25)
    if rotten:
        shine *= 0.3
    painted = skin * bright[..., None] + shine[..., None]
    edge = ndimage.gaussian_filter(inside.astype(float), 0.8)[..., None]
    scene[:] = scene * (1 - edge) + painted * edge
    if "apple" in fruit.class_name:
        stalk = (np.abs(u - 0.06 - 0.25 * (v + 0.72) ** 2) < 0.045) & (v > -0.95) & (v < -0.55)
        scene[stalk] = (84, 60, 36)


def _around(fruit: Fruit, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns with the fruit and its shadow, two radii to each side. Drawing the whole
    scene for each fruit would take three times as long."""
    least = [max(0, round((middle - 2 * fruit.radius) * width)) for middle in (fruit.y, fruit.x)]
    most = [round((middle + 2 * fruit.radius) * width) for middle in (fruit.y, fruit.x)]
    return slice(least[0], min(height, most[0])), slice(least[1], min(width, most[1]))


def _ball(u: Floats, v: Floats) -> tuple[NDArray[np.bool_], Floats, Floats]:
    square = u**2 + v**2
    z = np.sqrt(np.clip(1 - square, 0, 1))
    return square < 1, np.stack((u, v, z), axis=-1), v


def _banana(u: Floats, v: Floats) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """A banana's shape: along an arc, thinner towards its ends."""
    angle = np.arctan2(v + 0.75, u)
    distance = np.hypot(u, v + 0.75)
    along = (angle - np.pi / 2) / (0.30 * np.pi)
    thick = 0.27 * np.sqrt(np.clip(1 - along**4, 0, 1)) + 1e-9
    across = (distance - 1.0) / thick
    inside = (np.abs(along) < 1) & (np.abs(across) < 1)
    z = np.sqrt(np.clip(1 - across**2, 0, 1))
    normal = np.stack((across * np.cos(angle), across * np.sin(angle), z), axis=-1)
    return inside, normal, along


def _skin(name: str, u: Floats, v: Floats, along: Floats, mottle: Mottle) -> Floats:
    """Colours, float [height, width, 3]."""
    if "orange" in name:
        pores = mottle(45)
        skin = np.array((246, 140, 22)) * (1 + 0.10 * pores)[..., None]
    elif "banana" in name:
        skin = np.broadcast_to(np.array((246, 212, 66.0)), (*u.shape, 3)).copy()
        tips = np.clip((np.abs(along) - 0.86) / 0.14, 0, 1)[..., None]
        skin = skin * (1 - tips) + np.array((98, 84, 34)) * tips
    else:
        streaks = np.sin(14 * np.arctan2(u, v + 1.4) + 2 * mottle(6))
        blush = np.clip(0.7 + 0.25 * streaks, 0, 1)[..., None]
        skin = np.array((188, 28, 34)) * blush + np.array((226, 168, 76)) * (1 - blush)
        hollow = np.exp(-((u / 0.35) ** 2 + ((v + 0.72) / 0.2) ** 2))[..., None]
        skin = skin * (1 - 0.6 * hollow) + np.array((150, 140, 60)) * 0.6 * hollow
    return skin


def _rot(skin: Floats, u: Floats, v: Floats, mottle: Mottle, random: np.random.Generator) -> Floats:
    """The skin with a brown patch and mould."""
    wobble = mottle(8)
    patch = _step(0.95 - np.hypot(u - 0.1, v - 0.15) + 0.25 * wobble)
    brown = np.array((88, 52, 28)) * (1 + 0.2 * wobble)[..., None]
    skin = skin * (1 - patch) + brown * patch
    for _ in range(22):
        angle, far = random.uniform(0, 2 * np.pi), 0.6 * np.sqrt(random.uniform())
        aside = (u - 0.1 - far * np.cos(angle)) ** 2 + (v - 0.15 - far * np.sin(angle)) ** 2
        mould = 0.8 * np.exp(-aside / random.uniform(0.004, 0.014))[..., None]
        skin = skin * (1 - mould) + np.array((198, 196, 178)) * mould
    return skin


def _step(depth: Floats) -> Floats:
    """A soft step from 0 outside to 1 inside: [..., 1]."""
    return 1 / (1 + np.exp(-np.clip(10 * depth, -30, 30)))[..., None]
