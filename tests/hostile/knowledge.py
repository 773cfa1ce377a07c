"""Hooks for Schemathesis, which loads this file through SCHEMATHESIS_HOOKS.

- It gets drawn images as bodies of the image types.
- A class name is required with photos and not with a zip of class folders, which OpenAPI cannot
  say. It sends no zips, so here the name is required.
- A box has to lie within its photo, and its corners in order: here each edge has its own range,
  within the smallest photo that it sends. Boxes that are right elsewhere are left out.
- A prediction_id needs explain=true, a dependency that OpenAPI cannot express. Cases without it are
left out; tests/predictions has them.
- The lower bound of a range is not above the upper one, which OpenAPI cannot say either. Reversed
  ones are left out; tests/http has them.
- `after` is a cursor that the service gave, which OpenAPI cannot say. Cases with one are left out;
  tests/predictions has them.
- It reads `\\p{L}` and `\\p{N}` in the pattern of class names as Latin letters and digits, and
  expects other scripts to be rejected. Those cases are left out; tests/catalog has them.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import schemathesis
from hypothesis import strategies as st

from api.http.photo_upload import IMAGE_TYPES
from tests.synthetic_images import draw_fruit, encode

FORMATS = {"image/heic": "HEIF"}
# In lower case, as class names are returned.
LATIN = re.compile("[a-zA-Z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f0-9]")

for kind in IMAGE_TYPES:
    format = FORMATS.get(kind, kind.partition("/")[2].upper())
    images = [encode(draw_fruit("freshapples", seed, size=64), format) for seed in range(3)]
    schemathesis.openapi.media_type(kind, st.sampled_from(images))


# Valid for a photo of one pixel; a person may draw edges up to a pixel outside.
BOX_EDGES = {"x_min": (-1, 0), "y_min": (-1, 0), "x_max": (1, 2), "y_max": (1, 2)}

RANGES = (("since", "until"), ("at_least", "below"))


@schemathesis.hook
def before_load_schema(_context: Any, described: dict[str, Any]) -> None:
    fruits = described["components"]["schemas"]["MarkedFruits"]["properties"]
    fruits["complete"], fruits["image"] = {"const": True}, {"type": "null"}
    edges = described["components"]["schemas"]["FruitBox"]["properties"]
    for name, (low, high) in BOX_EDGES.items():
        edges[name] |= {"minimum": low, "maximum": high}
    body = described["paths"]["/upload-training-data"]["post"]["requestBody"]["content"]
    body["multipart/form-data"]["schema"]["required"].append("class_name")


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Leave out texts without a Latin letter or digit, boxes that are valid only in a larger photo,
    invented cursors, reversed ranges, and a prediction_id without explain.
    """
    if any(
        any(letter.isalnum() for letter in text) and not LATIN.search(text.lower())
        for text in (*_texts(case.body), *_texts(case.query))
    ):
        return False
    if any(map(_is_right_elsewhere, _boxes(case.body))):
        return False
    query = case.query if isinstance(case.query, dict) else {}
    if "after" in query or any(_is_reversed(query, *bounds) for bounds in RANGES):
        return False
    return "prediction_id" not in query or query.get("explain") in (True, "true")


def _is_reversed(query: dict[str, Any], lower: str, upper: str) -> bool:
    # Values for a bound arrive as they are in the URL.
    low, high = str(query.get(lower)), str(query.get(upper))
    for read in (float, datetime.fromisoformat):
        try:
            return bool(read(low) > read(high))  # type: ignore[operator]
        except (TypeError, ValueError):  # Of the other kind, or one of them lacks a time zone.
            continue
    return False


def _boxes(body: Any) -> Iterator[tuple[Any, ...]]:
    """The edges of all boxes as sent."""
    marked = body.get("boxes") if isinstance(body, dict) else None
    for fruit in marked if isinstance(marked, list) else ():
        box = fruit.get("box") if isinstance(fruit, dict) else None
        if isinstance(box, dict):
            yield tuple(box.get(name) for name in BOX_EDGES)


def _is_right_elsewhere(edges: tuple[Any, ...]) -> bool:
    if not all(type(edge) in (int, float) for edge in edges):
        return False
    if all(
        low <= edge <= high for edge, (low, high) in zip(edges, BOX_EDGES.values(), strict=True)
    ):
        return False
    x_min, y_min, x_max, y_max = edges
    return bool(x_max - x_min >= 1 and y_max - y_min >= 1)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
