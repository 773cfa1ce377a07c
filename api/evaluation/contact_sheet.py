"""A contact sheet: many photographs in one small picture."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageOps

CAPTION_HEIGHT = 14
QUALITY = 80


def contact_sheet(
    pictures: Sequence[Image.Image], captions: Sequence[str], columns: int, side: int = 84
) -> bytes:
    """A JPEG of `pictures`, at least one, in rows of `columns`, each under its caption.

    Every picture is cut to a square of `side` pixels; a caption is cut where its column ends.
    """
    rows = -(-len(pictures) // columns)
    height = side + CAPTION_HEIGHT
    sheet = Image.new("RGB", (columns * (side + 2), rows * height), "white")
    for k, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        cell = Image.new("RGB", (side, height), "white")
        ImageDraw.Draw(cell).text((1, 1), caption, "black", font_size=10)
        cell.paste(ImageOps.fit(picture, (side, side)), (0, CAPTION_HEIGHT))
        sheet.paste(cell, (k % columns * (side + 2), k // columns * height))
    stream = io.BytesIO()
    sheet.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
