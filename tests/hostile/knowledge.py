"""Hooks for Schemathesis, which loads this file by SCHEMATHESIS_HOOKS.

- It gets drawn images as bodies of the image types.
- A class name is required with photos and not with a zip of class folders, which OpenAPI cannot
  say. It sends no zips, so here the name is required.
- A box has to lie within its photo, and its corners in order: here each edge has its own range.
- A prediction_id goes with explain=true, which OpenAPI cannot say either. Other cases are left out;
  tests/predictions has them.
- It reads `\\p{L}` and `\\p{N}` in the pattern of class names as Latin letters and digits, and
  expects other scripts to be rejected. Those cases are left out; tests/catalog has them.
"""

import re
from collections.abc import Iterator
from typing import Any

import schemathesis
from hypothesis import strategies as st

from api.http.photo_upload import IMAGE_TYPES
from tests.synthetic_images import draw_fruit, encode

FORMATS = {"image/heic": "HEIF"}
LATIN = re.compile("[a-zA-Z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f0-9]")

for kind in IMAGE_TYPES:
    format = FORMATS.get(kind, kind.partition("/")[2].upper())
    images = [encode(draw_fruit("freshapples", seed, size=64), format) for seed in range(3)]
    schemathesis.openapi.media_type(kind, st.sampled_from(images))


# Within every photo that is graded here.
BOX_EDGES = {"x_min": (0, 8), "y_min": (0, 8), "x_max": (16, 32), "y_max": (16, 32)}


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
    """Leave out texts without a Latin letter or digit, and a prediction_id without explain."""
    query = case.query if isinstance(case.query, dict) else {}
    explains = query.get("explain") is True
    if case.path == "/predict" and "prediction_id" in query and not explains:
        return False
    return not any(
        any(letter.isalnum() for letter in text) and not LATIN.search(text)
        for text in (*_texts(case.body), *_texts(case.query))
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
