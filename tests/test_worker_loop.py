"""Parts of the worker's loop, in this process."""

import pytest

from api.retraining import repository, service
from api.retraining.queue import RunQueue
from api.storage.db import Database
from api.worker import MESSAGE_LOST_SECONDS, UnclaimedRuns


class Messages(RunQueue):
    """Notes the messages, and loses them."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def put(self, run_id: str) -> None:
        self.sent.append(run_id)


@pytest.fixture
def run_id(database: Database) -> str:
    with database.session() as session:
        return service.create_run(session, mode="fast", started_by="manual", options={}).id


def test_run_is_queued_again_until_a_worker_claims_it(database: Database, run_id: str) -> None:
    seconds, queue = [0.0], Messages()
    unclaimed = UnclaimedRuns(database, queue, clock=lambda: seconds[0])
    for sent in range(4):
        unclaimed.requeue()
        assert queue.sent == [run_id] * sent
        seconds[0] += MESSAGE_LOST_SECONDS / 2
        unclaimed.requeue()  # The message may still arrive.
        assert queue.sent == [run_id] * sent
        seconds[0] += MESSAGE_LOST_SECONDS / 2
    with database.session() as session:
        assert repository.claim(session, run_id)
    unclaimed.requeue()
    assert queue.sent == [run_id] * 3
