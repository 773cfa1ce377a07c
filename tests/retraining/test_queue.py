"""The run queue on both databases."""

import json
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from asgi_correlation_id import correlation_id

from api.retraining.queue import RunQueue
from api.settings import Settings
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture
def own(settings: Settings, database_url: str, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"state_dir": tmp_path, "database_url": database_url})


@pytest.fixture
def queue(own: Settings) -> Iterator[RunQueue]:
    queue = RunQueue(own)
    yield queue
    queue.close()


def test_messages_reach_the_consumer_of_another_queue(own: Settings, queue: RunQueue) -> None:
    received: SimpleQueue[str] = SimpleQueue()
    workers = RunQueue(own, received.put)
    consumer = workers.consumer()
    queue.put("before")
    consumer.start()
    queue.put("after")
    got = {received.get(timeout=PATIENCE_SECONDS) for _ in range(2)}
    assert got == {"before", "after"}
    consumer.stop(graceful=True)
    workers.close()


def test_request_id_reaches_the_worker(own: Settings, queue: RunQueue) -> None:
    received: SimpleQueue[str | None] = SimpleQueue()
    workers = RunQueue(own, lambda _run_id: received.put(correlation_id.get()))
    consumer = workers.consumer()
    consumer.start()
    for request_id in ("tuesday-7", None):
        correlation_id.set(request_id)
        queue.put("run")
        assert received.get(timeout=PATIENCE_SECONDS) == request_id
    consumer.stop(graceful=True)
    workers.close()


def test_message_is_json(queue: RunQueue) -> None:
    queue.put("abc")
    (message,) = queue._open().huey.storage.enqueued_items()
    assert "abc" in json.dumps(json.loads(bytes(message)))


def test_failing_run_does_not_stop_the_worker(own: Settings, queue: RunQueue) -> None:
    received: SimpleQueue[str] = SimpleQueue()

    def work(run_id: str) -> None:
        received.put(run_id)
        raise RuntimeError

    workers = RunQueue(own, work)
    consumer = workers.consumer()
    consumer.start()
    for run_id in ("one", "two", "three"):
        queue.put(run_id)
        assert received.get(timeout=PATIENCE_SECONDS) == run_id
    consumer.stop(graceful=True)
    workers.close()


def test_put_does_not_raise_if_the_queue_is_unavailable(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    unavailable = settings.model_copy(
        update={"database_url": "postgresql://nobody@127.0.0.1:9/none"}
    )
    queue = RunQueue(unavailable)
    queue.put("abc")
    assert "abc is queued" in caplog.text
    queue.close()


def test_message_of_an_earlier_release_is_read(own: Settings, queue: RunQueue) -> None:
    queue.put("abc")
    storage = queue._open().huey.storage
    message = json.loads(bytes(storage.dequeue()))
    message[1], message[6] = "api.jobs.queue.perform", ["abc"]
    storage.enqueue(json.dumps(message).encode())
    received: SimpleQueue[str] = SimpleQueue()
    workers = RunQueue(own, received.put)
    consumer = workers.consumer()
    consumer.start()
    assert received.get(timeout=PATIENCE_SECONDS) == "abc"
    consumer.stop(graceful=True)
    workers.close()
