"""Each trigger rule on both sides of its threshold."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from api.monitoring import trigger_rules
from api.monitoring.trigger_rules import Schedule, last_due, next_due
from api.retraining.plan import CatalogDiff
from api.storage.db import Database
from tests.monitoring.samples import (
    AT,
    a_champion,
    a_config,
    a_context,
    a_metric,
    add_answers,
)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.reading() as session:
        yield session


@pytest.mark.parametrize(
    ("right", "wrong", "value", "met"),
    [(360, 40, 5.0, False), (350, 50, 7.5, True), (400, 0, -5.0, False), (35, 5, 7.5, False)],
)
def test_accuracy_fires_over_five_points(
    database: Database, right: int, wrong: int, value: float, met: bool
) -> None:
    add_answers(database, right, wrong)
    add_answers(database, 0, 40, version="older")
    with database.reading() as session:
        result = trigger_rules.ACCURACY.evaluate(
            a_context(session), a_config(trigger_rules.ACCURACY)
        )
    assert (result.value, result.met) == (value, met)
    assert f"of {right + wrong} randomly drawn predictions" in result.sentence
    # Five of forty are wrong, where two are expected.
    assert ("may be chance" in result.sentence) == (right == 35)


def test_accuracy_ignores_unasked_feedback(database: Database) -> None:
    """People report mistakes, and the review queue asks about likely ones."""
    add_answers(database, 100, 300, sampled=False)
    add_answers(database, 39, 1)
    with database.reading() as session:
        result = trigger_rules.ACCURACY.evaluate(
            a_context(session), a_config(trigger_rules.ACCURACY)
        )
    assert (result.value, result.met) == (-2.5, False)


def test_accuracy_uses_the_configured_threshold(database: Database) -> None:
    add_answers(database, 350, 50)
    with database.reading() as session:
        assert not trigger_rules.ACCURACY.evaluate(
            a_context(session), a_config(trigger_rules.ACCURACY, threshold=7.5)
        ).met
        assert trigger_rules.ACCURACY.evaluate(
            a_context(session), a_config(trigger_rules.ACCURACY, threshold=7.4)
        ).met


def test_accuracy_needs_thirty_answers(database: Database) -> None:
    add_answers(database, 0, 29)
    with database.reading() as session:
        result = trigger_rules.ACCURACY.evaluate(
            a_context(session), a_config(trigger_rules.ACCURACY)
        )
    assert (result.value, result.met) == (None, False)
    assert "29" in result.sentence


def test_accuracy_needs_a_measured_champion(session: Session) -> None:
    context = a_context(session, champion=a_champion(accuracy=None))
    assert not trigger_rules.ACCURACY.evaluate(context, a_config(trigger_rules.ACCURACY)).met


@pytest.mark.parametrize(("value", "met"), [(0.25, False), (0.2501, True)])
def test_drift_fires_over_the_threshold_of_a_metric(
    session: Session, value: float, met: bool
) -> None:
    figures = [a_metric(0.01, name="calm"), a_metric(value, name="moved"), a_metric(None, None)]
    result = trigger_rules.DRIFT.evaluate(
        a_context(session, drift=figures), a_config(trigger_rules.DRIFT)
    )
    assert result.met is met
    assert result.sentence == "About moved."


def test_drift_needs_metrics(session: Session) -> None:
    result = trigger_rules.DRIFT.evaluate(
        a_context(session, drift=[a_metric(None, None)]), a_config(trigger_rules.DRIFT)
    )
    assert (result.value, result.met) == (None, False)


@pytest.mark.parametrize(("count", "met"), [(1000, False), (1001, True)])
def test_new_images_fires_over_a_thousand(session: Session, count: int, met: bool) -> None:
    context = a_context(
        session, catalog_diff=CatalogDiff({"pears": 500, "plums": count - 500}, 0, 0)
    )
    result = trigger_rules.NEW_IMAGES.evaluate(context, a_config(trigger_rules.NEW_IMAGES))
    assert (result.value, result.met) == (count, met)


def test_manual_never_fires(session: Session) -> None:
    assert not trigger_rules.MANUAL.evaluate(a_context(session), a_config(trigger_rules.MANUAL)).met


def day(month: int, day: int, hour: int = 3, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "at", "last", "following"),
    [
        ("weekly", day(11, 21, 12), day(11, 16), day(11, 23)),
        ("weekly", day(11, 23, 3), day(11, 23), day(11, 30)),
        ("weekly", day(11, 23, 2, 59), day(11, 16), day(11, 23)),
        ("monthly", day(11, 21, 12), day(11, 1), day(12, 1)),
        ("monthly", day(11, 1, 2), day(10, 1), day(11, 1)),
        ("monthly", day(2, 28, 12), day(2, 1), day(3, 1)),
        ("monthly", day(12, 31), day(12, 1), datetime(2027, 1, 1, 3, tzinfo=UTC)),
    ],
)
def test_due_times_of_a_schedule(
    kind: Schedule, at: datetime, last: datetime, following: datetime
) -> None:
    assert (last_due(kind, at), next_due(kind, at)) == (last, following)


@pytest.mark.parametrize(
    ("at", "met"),
    [(day(11, 23, 2, 59), False), (day(11, 23, 3), True), (day(12, 25), True)],
    ids=["not yet", "on time", "weeks late"],
)
def test_schedule_fires_once_it_is_due(session: Session, at: datetime, met: bool) -> None:
    stored = {"schedule": "weekly", "scheduled_at": AT}
    result = trigger_rules.SCHEDULE.evaluate(
        a_context(session, at=at), a_config(trigger_rules.SCHEDULE, **stored)
    )
    assert result.met is met


def test_fired_schedule_waits_for_the_next_due_time(session: Session) -> None:
    late = day(12, 25)  # It was due five times.
    stored = {"schedule": "weekly", "scheduled_at": AT, "last_fired_at": late}
    after = a_context(session, at=late + timedelta(hours=2))
    result = trigger_rules.SCHEDULE.evaluate(after, a_config(trigger_rules.SCHEDULE, **stored))
    assert not result.met
    assert "2026-12-28 03:00" in result.sentence


@pytest.mark.parametrize(
    "stored",
    [
        {"scheduled_at": AT - timedelta(days=60), "last_fired_at": AT + timedelta(days=365)},
        {"scheduled_at": AT + timedelta(days=365)},
    ],
    ids=["fired", "set"],
)
def test_moments_of_a_clock_that_was_ahead_hold_back_no_schedule(
    session: Session, stored: dict[str, datetime]
) -> None:
    config = a_config(trigger_rules.SCHEDULE, schedule="weekly", **stored)
    assert trigger_rules.SCHEDULE.evaluate(a_context(session), config).met
    # The clocks of two machines differ a little.
    just_now = {**stored, "last_fired_at": AT + timedelta(minutes=30)}
    config = a_config(trigger_rules.SCHEDULE, schedule="weekly", **just_now)
    assert not trigger_rules.SCHEDULE.evaluate(a_context(session), config).met


def test_unset_schedule_never_fires(session: Session) -> None:
    for stored in ({}, {"schedule": "none", "scheduled_at": AT - timedelta(days=400)}):
        result = trigger_rules.SCHEDULE.evaluate(
            a_context(session), a_config(trigger_rules.SCHEDULE, **stored)
        )
        assert not result.met
