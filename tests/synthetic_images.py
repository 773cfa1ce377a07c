"""Small synthetic images drawn by the tests, since no photo is ever committed."""

import io
import struct
from functools import lru_cache
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

pillow_heif.register_heif_opener()

# By class name: colour, ratio of width to height, and number and colour of the spots.
KINDS: dict[str, tuple[tuple[int, int, int], float, int, tuple[int, int, int]]] = {
    "freshapples": ((205, 35, 40), 1.05, 2, (230, 180, 90)),
    "freshbanana": ((245, 215, 60), 2.6, 2, (190, 150, 50)),
    "freshoranges": ((250, 145, 25), 1.0, 2, (225, 120, 20)),
    "rottenapples": ((120, 55, 35), 1.05, 14, (55, 30, 20)),
    "rottenbanana": ((110, 80, 35), 2.6, 14, (40, 28, 18)),
    "rottenoranges": ((165, 110, 50), 1.0, 14, (90, 115, 90)),
}


def draw_fruit(kind: str, seed: int = 0, size: int = 96) -> Image.Image:
    """A shaded fruit of one of `KINDS` on white; `seed` determines place, size, angle and spots."""
    return Image.fromarray(_fruit_pixels(kind, seed, size))


# Many tests draw the same fruit.
@lru_cache(maxsize=1024)
def _fruit_pixels(kind: str, seed: int, size: int) -> NDArray[np.uint8]:
    """uint8 [size, size, 3]."""
    colour, shape, spots, spot_colour = KINDS[kind]
    random = np.random.default_rng([seed, *kind.encode()])
    middle_x, middle_y = random.uniform(0.38, 0.62, 2)
    half_height = random.uniform(0.22, 0.34) / np.sqrt(shape)
    angle = random.uniform(0, np.pi)
    # Coordinates across and along the fruit, -1..1 within it.
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size
    # Faint shadows on the white table, so that no two drawings are equal.
    table = 255 - 4 * sum(
        1 + np.sin(2 * np.pi * (across * x + down * y) + start)
        for across, down, start in random.uniform(-4, 4, (4, 3))
    )
    x, y = x - middle_x, y - middle_y
    along = (x * np.cos(angle) + y * np.sin(angle)) / (half_height * shape)
    across = (y * np.cos(angle) - x * np.sin(angle)) / half_height
    inside = along**2 + across**2 < 1

    skin = np.broadcast_to(np.array(colour, float), (size, size, 3)).copy()
    for _ in range(spots):
        spot_along, spot_across = random.uniform(-0.7, 0.7, 2)
        near = np.hypot((along - spot_along) * shape, across - spot_across)
        skin[near < random.uniform(0.1, 0.3)] = spot_colour
    light = random.uniform(0, 2 * np.pi)
    shade = 1 + 0.35 * (along * np.cos(light) + across * np.sin(light))
    skin = skin * shade[..., None] + random.normal(0, 3, (size, size, 1))
    pixels = np.where(inside[..., None], skin, table[..., None])
    result: NDArray[np.uint8] = np.clip(pixels, 0, 255).astype(np.uint8)
    return result


def draw_tray(kind: str, seed: int = 0, share: float = 0.25, size: int = 240) -> Image.Image:
    """A fruit of `draw_fruit`, `share` of the width large, on a lit tray that is the same for all
    seeds."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:size, 0:size] / size
    light = 1 - 0.6 * np.hypot(x - 0.35, y - 0.3)
    tray = np.array((130, 135, 140)) * light[..., None] + random.normal(0, 3, (size, size, 1))
    tray[(np.arange(size) % 60 < 3)] *= 0.8
    tray[:, (np.arange(size) % 60 < 3)] *= 0.8
    scene = Image.fromarray(np.clip(tray, 0, 255).astype(np.uint8))
    pixels = _fruit_pixels(kind, seed, 96)
    mask = Image.fromarray((pixels.min(axis=2) < 200).astype(np.uint8) * 255)
    box = mask.getbbox()
    assert box is not None
    width = round(share * size)
    fruit_size = (width, max(1, round(width * (box[3] - box[1]) / (box[2] - box[0]))))
    # Real fruits never lie at exactly the same pixel.
    aside = np.random.default_rng([seed, *kind.encode()]).integers(-size // 30, size // 30, 2)
    place = tuple(int(value) for value in (np.array((size, size)) - fruit_size) // 2 + aside)
    fruit = Image.fromarray(pixels).crop(box).resize(fruit_size)
    scene.paste(fruit, (place[0], place[1]), mask.crop(box).resize(fruit_size))
    return scene


def draw_quarters(width: int = 96, height: int = 64) -> Image.Image:
    """Red and green above blue and white: the corners show the orientation."""
    pixels: NDArray[np.uint8] = np.empty((height, width, 3), np.uint8)
    middle_y, middle_x = height // 2, width // 2
    pixels[:middle_y, :middle_x] = (255, 0, 0)
    pixels[:middle_y, middle_x:] = (0, 255, 0)
    pixels[middle_y:, :middle_x] = (0, 0, 255)
    pixels[middle_y:, middle_x:] = (255, 255, 255)
    return Image.fromarray(pixels)


def encode(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """The bytes of a file in Pillow's `format`: JPEG, PNG, WEBP, BMP, HEIF, GIF, TIFF."""
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def windows_bmp(image: Image.Image) -> bytes:
    """A BMP with the header of Windows screenshots, which allows transparency."""
    pixels = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
    header = struct.pack("<IiiHHIIiiII", 124, *image.size, 1, 32, 3, len(pixels), 0, 0, 0, 0)
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs"
    body = (header + masks).ljust(124, b"\0") + pixels
    return b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, 14 + 124) + body
