"""Overload: excess predictions get 503, and health endpoints still answer."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio.to_thread
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.predictions.state import AppState
from api.settings import Settings
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import PATIENCE_SECONDS, until

# On a single core the event loop would grade a small JPEG itself, and wait with it.
PHOTO = encode(draw_fruit("freshapples"), "PNG")


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """Overrides the shared client: one inference thread, and a queue of one photo."""
    update = {"inference_threads": 1, "max_queue": 2, "max_wait_seconds": PATIENCE_SECONDS}
    changed = settings.model_copy(update=update)
    with TestClient(create_app(changed), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def release(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Predictions block until the event returned here is set."""
    event = threading.Event()
    predictor = state_of(client).serving()
    predict_batch = predictor.predict_batch

    def slow(*arguments: Any) -> Any:
        assert event.wait(PATIENCE_SECONDS)
        return predict_batch(*arguments)

    monkeypatch.setattr(predictor, "predict_batch", slow)
    yield event
    event.set()


def state_of(client: TestClient) -> AppState:
    state: AppState = client.app.state.service  # type: ignore[attr-defined]
    return state


def test_predictions_beyond_the_queue_get_503_and_queued_ones_are_graded(
    client: TestClient, release: threading.Event
) -> None:

    def post(path: str, field: str) -> Any:
        return client.post(path, files={field: PHOTO})

    with ThreadPoolExecutor(2) as pool:
        pending = [pool.submit(post, "/predict", "file") for _ in range(2)]
        until(lambda: state_of(client).batcher.is_full)
        for path, field in (("/predict", "file"), ("/predict/batch", "files")):
            rejected = post(path, field)
            assert (rejected.status_code, rejected.json()["code"]) == (503, "overloaded")
            assert int(rejected.headers["retry-after"]) > 0
        release.set()
        assert [future.result(PATIENCE_SECONDS).status_code for future in pending] == [200, 200]
    assert post("/predict", "file").status_code == 200


def test_health_is_answered_while_every_thread_is_busy(
    client: TestClient, release: threading.Event
) -> None:
    """That is, the inference threads and FastAPI's thread pool for sync endpoints."""

    async def occupy() -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        count = int(limiter.total_tokens)
        tasks = [
            asyncio.ensure_future(anyio.to_thread.run_sync(release.wait, PATIENCE_SECONDS))
            for _ in range(count)
        ]
        while limiter.borrowed_tokens < count:
            await asyncio.sleep(0)
        busy.extend(tasks)

    busy: list[Any] = []
    assert client.portal is not None
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(client.post, "/predict", files={"file": PHOTO})
        until(lambda: state_of(client).batcher.is_full)
        client.portal.call(occupy)
        for path in ("/live", "/ready", "/health", "/model-info"):
            assert client.get(path).status_code == 200, path
        # No thread became free in the meantime.
        assert not any(task.done() for task in busy)
        release.set()
