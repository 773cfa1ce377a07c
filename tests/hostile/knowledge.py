"""What Schemathesis cannot know; it loads this file by SCHEMATHESIS_HOOKS.

It draws no photographs. That photographs need the name of a class, and a zip of class folders none,
cannot be described: here the name is required, since zips are not among what it sends. And it reads
`\\p{L}` and `\\p{N}`, by which the name of a class is described, as Latin letters and the digits 0
to 9, so that it takes names in other scripts for wrong: they are left to tests/dataset.
"""

import re
from collections.abc import Iterator
from typing import Any

import schemathesis
from hypothesis import strategies as st

from api.http.photo_upload import KINDS
from tests.drawing import draw_fruit, encode

FORMATS = {"image/heic": "HEIF"}
LATIN = re.compile("[a-zA-Z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f0-9]")

for kind in KINDS:
    format = FORMATS.get(kind, kind.partition("/")[2].upper())
    pictures = [encode(draw_fruit("freshapples", seed, size=64), format) for seed in range(3)]
    schemathesis.openapi.media_type(kind, st.sampled_from(pictures))


@schemathesis.hook
def before_load_schema(_context: Any, described: dict[str, Any]) -> None:
    body = described["paths"]["/upload-training-data"]["post"]["requestBody"]["content"]
    body["multipart/form-data"]["schema"]["required"].append("class_name")


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Leave out texts of which the tool and JSON Schema say different things."""
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
