"""Junk for names, numbers and documents, on each database: PostgreSQL refuses more than SQLite."""

import random

import httpx

from tests.hostile.junk import junk
from tests.hostile.serving import serving
from tests.hostile.siege import besiege

COUNT = 300


def test_no_junk_reaches_the_database(database_url: str) -> None:
    with serving({"DATABASE_URL": database_url}) as served:
        paths = httpx.get(f"{served.url}/openapi.json", trust_env=False).json()["paths"]
        outcome = besiege(served.port, junk(paths, random.Random(7)), COUNT)  # noqa: S311
        assert not outcome.faults, served.said()[-4000:]
        assert 503 not in outcome.statuses
        assert served.answers()
