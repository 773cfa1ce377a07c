"""Invalid names, numbers and JSON on each database: PostgreSQL rejects more than SQLite."""

import random
from itertools import chain

import httpx
import pytest

from tests.hostile.forms import malformed_forms
from tests.hostile.fuzz import send_attacks
from tests.hostile.fuzz_payloads import payloads
from tests.hostile.serving import serving
from tests.synthetic_images import draw_fruit, encode

pytestmark = pytest.mark.slow

EACH = 200


def test_no_invalid_input_reaches_the_database(database_url: str) -> None:
    rng, image = random.Random(7), encode(draw_fruit("freshapples", 1), "JPEG")  # noqa: S311
    with serving({"DATABASE_URL": database_url}) as served:
        paths = httpx.get(f"{served.url}/openapi.json", trust_env=False).json()["paths"]
        pairs = zip(payloads(paths, rng), malformed_forms(image, rng), strict=True)
        mixed = chain.from_iterable(pairs)
        outcome = send_attacks(served.port, mixed, 2 * EACH)
        # Listing first waits until predictions are recorded.
        assert httpx.get(f"{served.url}/predictions", trust_env=False).json()["total"] > 0
        assert not outcome.faults, served.log_text()[-4000:]
        assert 503 not in outcome.statuses
        assert not any(word in served.log_text() for word in ("Traceback", "not recorded"))
