"""Junk for names, numbers and documents, on each database: PostgreSQL refuses more than SQLite."""

import random
from itertools import chain

import httpx

from tests.drawing import draw_fruit, encode
from tests.hostile.forms import odd_forms
from tests.hostile.junk import junk
from tests.hostile.serving import serving
from tests.hostile.siege import besiege

EACH = 200


def test_no_junk_reaches_the_database(database_url: str) -> None:
    chance, picture = random.Random(7), encode(draw_fruit("freshapples", 1), "JPEG")  # noqa: S311
    with serving({"DATABASE_URL": database_url}) as served:
        paths = httpx.get(f"{served.url}/openapi.json", trust_env=False).json()["paths"]
        pairs = zip(junk(paths, chance), odd_forms(picture, chance), strict=True)
        mixed = chain.from_iterable(pairs)
        outcome = besiege(served.port, mixed, 2 * EACH)
        # Whatever is listed has been recorded before.
        assert httpx.get(f"{served.url}/predictions", trust_env=False).json()["total"] > 0
        assert not outcome.faults, served.said()[-4000:]
        assert 503 not in outcome.statuses
        assert not any(word in served.said() for word in ("Traceback", "not recorded"))
