"""What Schemathesis cannot know: what photographs look like.

It loads this file by SCHEMATHESIS_HOOKS.
"""

import schemathesis
from hypothesis import strategies as st

from api.predict.upload import KINDS
from tests.drawing import draw_fruit, encode

FORMATS = {"image/heic": "HEIF"}

for kind in KINDS:
    format = FORMATS.get(kind, kind.partition("/")[2].upper())
    pictures = [encode(draw_fruit("freshapples", seed, size=64), format) for seed in range(3)]
    schemathesis.openapi.media_type(kind, st.sampled_from(pictures))
