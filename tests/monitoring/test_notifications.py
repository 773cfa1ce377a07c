"""Each event is sent once to every receiver, and slow receivers delay nothing."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain, repeat
from threading import Barrier, Thread
from threading import enumerate as enumerate_threads
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from api.core import telemetry
from api.monitoring import notifications
from api.monitoring.events import harmless
from api.monitoring.gauges import show_notifications
from api.monitoring.notifications import Notifier
from api.settings import Settings
from api.storage.db import Database, now
from api.storage.tables.models import ModelRow, PromotionRow, RunRow
from api.storage.tables.triggers import NotificationRow, SuggestionRow, TriggerRow
from tests.monitoring.webhook import PATH, Webhook, running_webhook
from tests.waiting import PATIENCE_SECONDS, until

PASSED = {"promote": True, "passed": True, "reasons": ["It has 9 of 9 photos right."]}
WAITS = {"promote": False, "passed": True, "reasons": ["It waits."]}
REFUSED = {"promote": False, "passed": False, "reasons": ["It is worse on pears."]}


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with running_webhook() as webhook:
        yield webhook


@pytest.fixture
def other() -> Iterator[Webhook]:
    with running_webhook() as webhook:
        yield webhook


def notifier(database: Database, *webhooks: Webhook) -> Notifier:
    urls = tuple(SecretStr(webhook.url) for webhook in webhooks)
    return Notifier(database, Settings(notify=urls), PATIENCE_SECONDS)


def add_run(database: Database, state: str = "succeeded", **more: Any) -> str:
    with database.session() as session:
        run_id = f"{len(session.scalars(select(RunRow)).all()):032x}"
        values: dict[str, Any] = {"candidate": "v2", "finished_at": now(), **more}
        session.add(
            RunRow(
                id=run_id,
                mode="fast",
                options={},
                started_by="manual",
                state=state,
                active=None,
                **values,
            )
        )
    return run_id


def add_promotion(database: Database, kind: str, at: datetime | None = None) -> None:
    with database.session() as session:
        if session.get(ModelRow, "v2") is None:
            row = ModelRow(version="v2", origin="fast", started_by="manual", manifest={})
            session.add(row)
            session.flush()
        session.add(PromotionRow(version="v2", replaced="v1", kind=kind, at=at or now()))


def add_suggestion(database: Database, reason: str = "1200 training images are new.") -> None:
    with database.session() as session:
        session.add(TriggerRow(name="new-images"))
        session.flush()
        row = SuggestionRow(
            id="f" * 32,
            trigger_name="new-images",
            state="open",
            active=1,
            version="v1",
            reason=reason,
            created_at=now(),
        )
        session.add(row)


def outcomes(database: Database) -> dict[str, int | None]:
    """The number of failed receivers by event."""
    with database.reading() as session:
        return {row.event: row.failed for row in session.scalars(select(NotificationRow))}


@pytest.mark.parametrize(
    ("state", "verdict", "title", "kind"),
    [
        ("succeeded", PASSED, "Ripeline: A new model is in use: v2", "success"),
        ("succeeded", WAITS, "Ripeline: A new model waits for you: v2", "info"),
        ("succeeded", REFUSED, "Ripeline: A new model did not pass the checks: v2", "warning"),
        ("failed", None, "Ripeline: A retraining failed", "failure"),
        ("interrupted", None, "Ripeline: A retraining was interrupted", "failure"),
    ],
)
def test_ended_runs_are_notified(
    database: Database,
    webhook: Webhook,
    state: str,
    verdict: dict[str, Any] | None,
    title: str,
    *,
    kind: str,
) -> None:
    run_id = add_run(database, state, verdict=verdict, message="Memory ran out.")
    notifier(database, webhook).poll()
    [told] = webhook.received
    assert (told["title"], told["type"]) == (title, kind)
    reason = verdict["reasons"][0] if verdict else "Memory ran out."
    assert reason in told["message"]
    assert told["message"].endswith("http://127.0.0.1:8501")
    assert outcomes(database) == {f"run:{run_id}": 0}


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("manual", "Ripeline: A person put a model in use: v2"),
        ("rollback", "Ripeline: Rolled back to v2"),
    ],
)
def test_changes_by_people_are_notified(
    database: Database, webhook: Webhook, kind: str, title: str
) -> None:
    add_promotion(database, kind)
    notifier(database, webhook).poll()
    assert webhook.titles == [title]
    assert "place of v1" in webhook.received[0]["message"]


def test_suggestion_is_notified(database: Database, webhook: Webhook) -> None:
    add_suggestion(database)
    notifier(database, webhook).poll()
    assert webhook.titles == ["Ripeline: A retraining is suggested: new images"]
    assert "1200 training images are new. Start it or dismiss it" in webhook.received[0]["message"]


def test_known_and_old_events_are_not_sent(database: Database, webhook: Webhook) -> None:
    add_run(database, "cancelled")
    add_run(database, "running", finished_at=None)
    add_run(database, "failed", finished_at=now() - timedelta(hours=2))
    for kind in ("first", "gate"):
        add_promotion(database, kind)
    notifier(database, webhook).poll()
    assert webhook.received == []


def test_event_is_sent_once_however_many_processes_look(
    database: Database, webhook: Webhook
) -> None:
    for _ in range(3):
        add_run(database, "failed")
    notifiers = [notifier(database, webhook) for _ in range(4)]
    together = Barrier(len(notifiers))

    def poll(one: Notifier) -> None:
        together.wait()
        one.poll()

    threads = [Thread(target=poll, args=(one,)) for one in notifiers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    notifier(database, webhook).poll()
    assert len(webhook.received) == 3
    assert set(outcomes(database).values()) == {0}


@pytest.fixture
def time_is_over(other: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the time for all receivers expire once `other` has been told and one is still being
    told."""
    times = chain([0.0], repeat(PATIENCE_SECONDS))

    def still_told() -> int:
        return [thread.name for thread in enumerate_threads()].count("notification")

    def clock() -> float:
        if time := next(times):
            until(lambda: other.received and still_told() == 1)
        return time

    monkeypatch.setattr(notifications, "monotonic", clock)


@pytest.mark.usefixtures("time_is_over")
def test_hanging_receiver_delays_nobody(
    database: Database, webhook: Webhook, other: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.hangs = True
    add_run(database, "failed")
    both = notifier(database, webhook, other)
    both.poll()
    assert len(other.received) == 1
    assert "does not answer in time" in caplog.text
    add_run(database, "failed")
    both.poll()
    assert len(other.received) == 2
    assert "still hangs at an earlier one" in caplog.text
    assert list(outcomes(database).values()) == [1, 1]


def test_failures_are_logged_without_the_address_and_counted(
    database: Database, webhook: Webhook, other: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    webhook.status = 500
    gone = Webhook()
    gone.stop()
    add_run(database, "failed")
    add_promotion(database, "rollback")
    notifier(database, webhook, other, gone).poll()
    ours = [record for record in caplog.records if record.name.startswith("api.")]
    told = [str(record.args[0]) for record in ours if isinstance(record.args, tuple)]
    assert told == ["Receiver 1 (json)", "Receiver 3 (json)"] * 2
    assert "Receiver 3 (json) was not told of run:" in caplog.text
    shown = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not any(PATH in record.getMessage() for record in [*shown, *ours])
    assert list(outcomes(database).values()) == [2, 2]
    assert len(other.received) == 2
    with database.reading() as session:
        show_notifications(session)
    values = {
        outcome: telemetry.NOTIFICATIONS.labels(outcome)._value.get()
        for outcome in ("sent", "failed")
    }
    assert values == {"sent": 0, "failed": 2}


def test_text_from_outside_makes_no_links_or_mentions(database: Database, webhook: Webhook) -> None:
    evil = "[x](http://foreign.example) <!channel> @everyone \x1b[31m\u202e" + "y" * 5000
    add_run(database, "failed", message=evil)
    notifier(database, webhook).poll()
    body = webhook.received[0]["message"]
    assert "http://foreign" not in body
    assert not set("@<>[]\x1b\u202e") & set(body)
    assert len(body) < 2000


def test_harmless_text_is_sent_unchanged() -> None:
    assert harmless("97.7 % of 215 photos, 3 of them new.") == (
        "97.7 % of 215 photos, 3 of them new."
    )


def test_nothing_is_sent_twice_after_a_process_died(database: Database, webhook: Webhook) -> None:
    run_id = add_run(database, "failed")
    with database.session() as session:
        session.add(NotificationRow(event=f"run:{run_id}"))
    notifier(database, webhook).poll()
    assert webhook.received == []
    assert outcomes(database) == {f"run:{run_id}": None}
