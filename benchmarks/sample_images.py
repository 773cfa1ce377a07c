"""Drawn images that are as large and as slow to decode as real photos."""

import io
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

# As in the public dataset, also in file size.
SMALL = (224, 224)
# As from a messaging app and a phone camera.
MEDIUM = (640, 480)
TWELVE_MEGAPIXELS = (4032, 3024)


@cache
def sample_image(size: tuple[int, int], quality: int = 88) -> bytes:
    """A JPEG of an orange on a table, with sensor noise."""
    width, height = size
    side = min(size)
    image = Image.new("RGB", size, (236, 228, 214))
    draw = ImageDraw.Draw(image)
    left, top = (width - side) // 2 + side // 5, side // 5
    draw.ellipse((left, top, left + side * 3 // 5, top + side * 3 // 5), fill=(238, 142, 32))
    rng = np.random.default_rng(0)
    for _ in range(60):
        x, y = rng.uniform(0.25, 0.75, 2) * (width, height)
        r = rng.uniform(0.004, 0.02) * side
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(205, 110, 24))
    image = image.filter(ImageFilter.GaussianBlur(side / 400))
    noise = rng.normal(0, 4, (height, width, 1)).astype(np.float32)
    light = np.linspace(1.05, 0.85, width, dtype=np.float32)[None, :, None]
    pixels = np.clip(np.asarray(image, np.float32) * light + noise, 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return stream.getvalue()
