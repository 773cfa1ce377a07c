"""No event is lost because a clock was set while a process looks for events."""

from datetime import datetime, timedelta

import pytest

from api.monitoring import notifications
from api.storage.db import Database, now
from tests.monitoring.test_notifications import (
    add_promotion,
    add_run,
    add_suggestion,
    notifier,
)
from tests.monitoring.test_notifications import webhook as webhook  # noqa: PLC0414 - a fixture
from tests.monitoring.webhook import Webhook

LONG = timedelta(days=3)


class Clock:
    """The computer's clock, as far as the notifier sees it."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(notifications, "now", clock)
    return clock


def add_one_of_each(database: Database) -> None:
    add_run(database, "failed")
    add_promotion(database, "manual")
    add_suggestion(database)


def test_clock_that_is_set_forward_loses_nothing(
    database: Database, webhook: Webhook, clock: Clock
) -> None:
    """As when a computer slept, or a time server was out of reach."""
    running = notifier(database, webhook)
    running.poll()
    add_one_of_each(database)
    clock.ahead = LONG
    running.poll()
    assert len(webhook.received) == 3
    running.poll()
    assert len(webhook.received) == 3


def test_clock_that_is_set_back_loses_nothing(
    database: Database, webhook: Webhook, clock: Clock
) -> None:
    clock.ahead = LONG
    running = notifier(database, webhook)
    running.poll()
    clock.ahead = timedelta(0)
    add_one_of_each(database)
    running.poll()
    assert len(webhook.received) == 3


def test_what_was_over_long_before_the_process_began_is_not_told_later(
    database: Database, webhook: Webhook, clock: Clock
) -> None:
    add_one_of_each(database)
    clock.ahead = LONG
    running = notifier(database, webhook)
    running.poll()
    running.poll()
    assert webhook.received == []
