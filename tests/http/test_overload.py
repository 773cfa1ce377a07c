"""Under more load than can be served: short refusals, and the small questions answered at once."""

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
from tests.waiting import until

PATIENCE = 20


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """Overrides the shared client: one thread grades and one photograph may wait for it."""
    small = settings.model_copy(update={"inference_threads": 1, "max_queue": 2})
    with TestClient(create_app(small), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def go_on(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Until this is set, no photograph is graded to its end."""
    event = threading.Event()
    predictor = state_of(client).serving()
    predict_batch = predictor.predict_batch

    def slow(*arguments: Any) -> Any:
        assert event.wait(PATIENCE)
        return predict_batch(*arguments)

    monkeypatch.setattr(predictor, "predict_batch", slow)
    yield event
    event.set()


def state_of(client: TestClient) -> AppState:
    state: AppState = client.app.state.service  # type: ignore[attr-defined]
    return state


def test_what_is_too_much_gets_a_503_and_the_rest_its_grade(
    client: TestClient, go_on: threading.Event
) -> None:
    photograph = encode(draw_fruit("freshapples"), "JPEG")

    def post(path: str, field: str) -> Any:
        return client.post(path, files={field: photograph})

    with ThreadPoolExecutor(2) as people:
        waiting = [people.submit(post, "/predict", "file") for _ in range(2)]
        until(lambda: state_of(client).batcher.is_full)
        for path, field in (("/predict", "file"), ("/predict/batch", "files")):
            refused = post(path, field)
            assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
            assert int(refused.headers["retry-after"]) > 0
        go_on.set()
        assert [one.result(PATIENCE).status_code for one in waiting] == [200, 200]
    assert post("/predict", "file").status_code == 200


def test_health_is_answered_while_every_thread_is_busy(
    client: TestClient, go_on: threading.Event
) -> None:
    """Both the threads that grade and those that FastAPI lends to what is not `async`."""

    async def occupy() -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        count = int(limiter.total_tokens)
        tasks = [
            asyncio.ensure_future(anyio.to_thread.run_sync(go_on.wait, PATIENCE))
            for _ in range(count)
        ]
        while limiter.borrowed_tokens < count:
            await asyncio.sleep(0)
        busy.extend(tasks)

    busy: list[Any] = []
    photograph = encode(draw_fruit("freshapples"), "JPEG")
    assert client.portal is not None
    with ThreadPoolExecutor(2) as people:
        for _ in range(2):
            people.submit(client.post, "/predict", files={"file": photograph})
        until(lambda: state_of(client).batcher.is_full)
        client.portal.call(occupy)
        for path in ("/live", "/ready", "/health", "/model-info"):
            assert client.get(path).status_code == 200, path
        # All that time no thread came free.
        assert not any(task.done() for task in busy)
        go_on.set()
