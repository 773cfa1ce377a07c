"""Hostile requests to a real API process: no 5xx, no crash, no leak, and right answers afterwards.

RIPELINE_HOSTILE_BODIES is their number (`make hostile`: 10,000), RIPELINE_HOSTILE_SEED the seed.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.hostile.fuzz import attacks, send_attacks
from tests.hostile.serving import Served, serving
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until

pytestmark = pytest.mark.slow

COUNT = int(os.environ.get("RIPELINE_HOSTILE_BODIES", "300"))
SEED = int(os.environ.get("RIPELINE_HOSTILE_SEED", "1"))
# Memory is measured after these, when all code has run and all caches are full. A tenth is enough
# since kinds of requests repeat: of 10,000, the first report comes after 220, and memory is level
# after 1,000.
WARM_UP = max(150, COUNT // 10)
# Allows for fragmentation and the catalog's duplicate index.
MAX_GROWTH_MIB = 40.0
SETTLE_SECONDS = 60.0


def graded(served: Served) -> tuple[str, float]:
    image = encode(draw_fruit("freshoranges", 5, size=300), "JPEG")
    answer = httpx.post(
        f"{served.url}/predict",
        files={"file": ("orange.jpg", image)},
        timeout=60,
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["predicted_class"], body["confidence"]


def grade_instances(served: Served) -> None:
    """Grade several photos at once, so that each thread creates its detector interpreter."""
    image = encode(draw_fruit("freshoranges", 5, size=300), "JPEG")

    def send(_: int) -> int:
        url = f"{served.url}/predict?instances=true"
        return httpx.post(url, files={"file": image}, timeout=60, trust_env=False).status_code

    with ThreadPoolExecutor(4) as senders:
        assert set(senders.map(send, range(20))) == {200}


def make_reports(served: Served) -> None:
    """Make reports of an inspection without photos, to import the PDF and XLSX libraries."""
    lot = httpx.post(f"{served.url}/inspections", json={"lot": "A"}, timeout=60, trust_env=False)
    for kind in ("pdf", "xlsx"):
        url = f"{served.url}/inspections/{lot.json()['id']}/report.{kind}"
        assert httpx.get(url, timeout=60, trust_env=False).is_success


def test_hostile_requests_cause_no_error_crash_or_leak(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as served:
        expected = graded(served)
        grade_instances(served)
        make_reports(served)
        # This endpoint imports the most.
        assert httpx.get(f"{served.url}/insights/map", timeout=60, trust_env=False).is_success
        requests = attacks(served.url, SEED)
        warm = send_attacks(served.port, requests, WARM_UP)
        before = served.resident_mib()
        outcome = send_attacks(served.port, requests, COUNT - WARM_UP)
        after = served.resident_mib()
        with capsys.disabled():
            print(
                f"\n{COUNT} hostile bodies: statuses "
                f"{dict(sorted((warm.statuses + outcome.statuses).items()))}, "
                f"{warm.unanswered + outcome.unanswered} connections closed without an answer; "
                f"{before:.0f} MiB after {WARM_UP} of them, {after:.0f} MiB after all"
            )
        until(lambda: _settled(served, before + MAX_GROWTH_MIB), seconds=SETTLE_SECONDS)
        assert not warm.faults + outcome.faults, served.log_text()[-4000:]
        assert graded(served) == expected
        assert "Traceback" not in served.log_text()
        assert served.process.poll() is None


def _settled(served: Served, level: float) -> float | None:
    """The memory in use, if it is not above `level` (MiB)."""
    used = served.resident_mib()
    return used if used <= level else None
