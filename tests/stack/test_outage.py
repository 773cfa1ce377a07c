"""PostgreSQL is killed for ten seconds under load."""

import time

import httpx

from tests.stack.load import loaded
from tests.stack.runs import start_run, upload, wait_for_run
from tests.stack.stack import Stack
from tests.waiting import until

OUTAGE_SECONDS = 10


def test_during_a_database_outage_grading_works_and_changes_get_503(
    stack: Stack,
) -> None:
    with stack.client() as client, loaded(stack.processes, stack.url, stack.key) as load:
        served = stack.versions()
        stack.database.kill()
        back_at = time.monotonic() + OUTAGE_SECONDS
        try:
            until(lambda: changes_are_rejected(client) and time.monotonic() > back_at)
            assert stack.versions() == served
        finally:
            stack.database.start()
        until(lambda: changes_are_accepted(client))
    with stack.client() as client:
        upload(client, "rings", first=500, count=8)
        run = wait_for_run(client, start_run(client))
        assert run["state"] == "succeeded", run["message"]
        promoted = client.post(f"/models/{run['candidate']}/promote")
        assert promoted.status_code == 200, promoted.text
    stack.until_all_serve(run["candidate"])
    print(f"\n{load.requests} requests, failed: {load.failures}")
    assert load.requests > 0
    assert load.failures == []


def changes_are_rejected(client: httpx.Client) -> bool:
    """Whether every change gets a 503 with Retry-After."""
    for answer in (
        client.post("/models/rollback"),
        client.post("/retrain", json={"mode": "fast", "force": True}),
        client.put("/triggers/schedule", json={"schedule": "weekly"}),
    ):
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["code"] == "catalog-unavailable"
    return True


def changes_are_accepted(client: httpx.Client) -> bool:
    """Set the schedule back to its default, and return whether that works again."""
    answer = client.put("/triggers/schedule", json={"schedule": None})
    assert answer.status_code in (200, 503), answer.text
    return answer.is_success
