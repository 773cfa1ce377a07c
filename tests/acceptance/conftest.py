"""A real API and worker for the learning tests."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes import ApiAndWorker
from tests.waiting import ANSWER_SECONDS


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of an API and a worker with an empty catalog, in which no run starts
    automatically."""
    service = ApiAndWorker(tmp_path, {})
    try:
        service.start("api")
        service.start("worker")
        with httpx.Client(base_url=service.url, timeout=ANSWER_SECONDS, trust_env=False) as client:
            for trigger in ("accuracy", "drift", "new-images", "schedule"):
                changed = client.put(f"/triggers/{trigger}", json={"enabled": False})
                assert changed.status_code == 200, changed.text
            yield client
    finally:
        service.stop()
