"""Hostile bodies, sent to a real API process: no 5xx, no crash, no memory lost, right answers.

RIPELINE_HOSTILE_BODIES says how many (`make hostile`: 10,000), RIPELINE_HOSTILE_SEED which.
"""

import os

import httpx
import pytest

from tests.drawing import draw_fruit, encode
from tests.hostile.serving import Served, serving
from tests.hostile.siege import attacks, besiege
from tests.waiting import until

COUNT = int(os.environ.get("RIPELINE_HOSTILE_BODIES", "300"))
SEED = int(os.environ.get("RIPELINE_HOSTILE_SEED", "1"))
# Before memory is looked at: every kind of code has run, and every cache has something in it.
WARM_UP = 150
# What a process may keep: fragments, and the photographs of the catalog that it knows.
KEPT_MB = 40.0


def graded(served: Served) -> tuple[str, float]:
    picture = encode(draw_fruit("freshoranges", 5, size=300), "JPEG")
    answer = httpx.post(
        f"{served.url}/predict",
        files={"file": ("orange.jpg", picture)},
        timeout=60,
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["predicted_class"], body["confidence"]


def test_nothing_that_is_sent_hurts(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as served:
        right = graded(served)
        # It imports more than all the rest.
        assert httpx.get(f"{served.url}/insights/map", timeout=60, trust_env=False).is_success
        hostile = attacks(served.url, SEED)
        warm = besiege(served.port, hostile, WARM_UP)
        before = served.resident_mb()
        outcome = besiege(served.port, hostile, COUNT - WARM_UP)
        after = until(lambda: _settled(served, before + KEPT_MB), seconds=30)
        with capsys.disabled():
            print(
                f"\n{COUNT} hostile bodies: statuses "
                f"{dict(sorted((warm.statuses + outcome.statuses).items()))}, "
                f"{warm.unanswered + outcome.unanswered} connections closed without an answer; "
                f"{before:.0f} MB after {WARM_UP} of them, {after:.0f} MB after all"
            )
        assert not warm.faults + outcome.faults, served.said()[-4000:]
        assert graded(served) == right
        assert "Traceback" not in served.said()
        assert served.process.poll() is None


def _settled(served: Served, level: float) -> float | None:
    """The memory in use, once it is down at the level."""
    used = served.resident_mb()
    return used if used <= level else None
