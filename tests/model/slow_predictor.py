"""A predictor that waits, and the thread it waits in, for tests of the batcher."""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.model.predictor import MAX_BATCH, PredictRequest
from tests.waiting import PATIENCE_SECONDS


class SlowPredictor:
    """A predictor that waits for `resume`, and returns each request's bytes as its grade."""

    def __init__(self) -> None:
        self.resume = threading.Event()
        self.started = threading.Event()
        self.graded: list[bytes] = []

    def predict_batch(
        self, requests: Iterable[PredictRequest | Exception]
    ) -> list[bytes | Exception]:
        self.started.set()
        assert self.resume.wait(PATIENCE_SECONDS)
        batch = list(requests)
        assert 1 <= len(batch) <= MAX_BATCH
        self.graded += [one.data for one in batch if isinstance(one, PredictRequest)]
        return [self.outcome(one.data) if isinstance(one, PredictRequest) else one for one in batch]

    def outcome(self, data: bytes) -> bytes | Exception:
        """The result for the request with these bytes."""
        return data


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool
