"""A receiver that was away is told later: only it, only once, and not for ever."""

from threading import enumerate as enumerate_threads

import pytest

from api.monitoring import notifications
from api.monitoring.notifications import RETRY_SECONDS
from api.storage.db import Database
from tests.monitoring.test_notifications import add_run, notifier, outcomes
from tests.monitoring.test_notifications import other as other  # noqa: PLC0414 - a fixture
from tests.monitoring.test_notifications import (
    time_is_over as time_is_over,  # noqa: PLC0414 - a fixture
)
from tests.monitoring.test_notifications import webhook as webhook  # noqa: PLC0414 - a fixture
from tests.monitoring.webhook import Webhook
from tests.waiting import PATIENCE_SECONDS, until


class Clock:
    """Moves only when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(notifications, "monotonic", clock)
    return clock


def test_receiver_that_was_away_is_told_later_and_the_others_once(
    database: Database, webhook: Webhook, other: Webhook, clock: Clock
) -> None:
    webhook.status = 503
    run_id = add_run(database, "failed")
    running = notifier(database, webhook, other)
    running.poll()
    running.poll()
    assert (len(webhook.received), len(other.received)) == (1, 1)
    assert outcomes(database) == {f"run:{run_id}": 1}
    clock.seconds += RETRY_SECONDS[0]
    running.poll()
    assert outcomes(database) == {f"run:{run_id}": 1}
    webhook.status = 200
    clock.seconds += RETRY_SECONDS[1]
    running.poll()
    assert outcomes(database) == {f"run:{run_id}": 0}
    clock.seconds += sum(RETRY_SECONDS)
    running.poll()
    assert (len(webhook.received), len(other.received)) == (3, 1)


def test_receiver_that_stays_away_is_given_up(
    database: Database, webhook: Webhook, clock: Clock
) -> None:
    webhook.status = 503
    add_run(database, "failed")
    running = notifier(database, webhook)
    for pause in (0.0, *RETRY_SECONDS, *RETRY_SECONDS):
        clock.seconds += pause
        running.poll()
    assert len(webhook.received) == 1 + len(RETRY_SECONDS)
    assert list(outcomes(database).values()) == [1]


@pytest.mark.usefixtures("time_is_over")
def test_event_that_was_taken_late_is_not_sent_again(
    database: Database, webhook: Webhook, other: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook.hangs = True
    run_id = add_run(database, "failed")
    both = notifier(database, webhook, other)
    both.poll()
    assert outcomes(database) == {f"run:{run_id}": 1}
    webhook.answer()
    until(lambda: "notification" not in [thread.name for thread in enumerate_threads()])
    later = PATIENCE_SECONDS + RETRY_SECONDS[0]
    monkeypatch.setattr(notifications, "monotonic", lambda: later)
    both.poll()
    assert (len(webhook.received), len(other.received)) == (1, 1)
    assert outcomes(database) == {f"run:{run_id}": 0}
