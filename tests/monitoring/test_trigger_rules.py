"""Each rule, on both sides of its threshold."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from api.monitoring import trigger_rules
from api.monitoring.trigger_rules import Schedule, last_due, next_due
from api.retraining.plan import CatalogDiff
from api.storage.db import Database
from tests.monitoring.scenes import AT, a_champion, a_figure, a_scene, chosen, words


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.reading() as session:
        yield session


@pytest.mark.parametrize(
    ("right", "wrong", "value", "met"),
    [(36, 4, 5.0, False), (35, 5, 7.5, True), (40, 0, -5.0, False)],
)
def test_accuracy_fires_over_five_points(
    database: Database, right: int, wrong: int, value: float, met: bool
) -> None:
    words(database, right, wrong)
    words(database, 0, 40, version="older")
    with database.reading() as session:
        reading = trigger_rules.ACCURACY.read(a_scene(session), chosen(trigger_rules.ACCURACY))
    assert (reading.value, reading.met) == (value, met)
    assert "40 words" in reading.sentence


def test_accuracy_follows_the_threshold_that_was_set(database: Database) -> None:
    words(database, 35, 5)
    with database.reading() as session:
        assert not trigger_rules.ACCURACY.read(
            a_scene(session), chosen(trigger_rules.ACCURACY, threshold=7.5)
        ).met
        assert trigger_rules.ACCURACY.read(
            a_scene(session), chosen(trigger_rules.ACCURACY, threshold=7.4)
        ).met


def test_accuracy_needs_thirty_words(database: Database) -> None:
    words(database, 0, 29)
    with database.reading() as session:
        reading = trigger_rules.ACCURACY.read(a_scene(session), chosen(trigger_rules.ACCURACY))
    assert (reading.value, reading.met) == (None, False)
    assert "29" in reading.sentence


def test_accuracy_needs_a_measured_champion(session: Session) -> None:
    scene = a_scene(session, champion=a_champion(accuracy=None))
    assert not trigger_rules.ACCURACY.read(scene, chosen(trigger_rules.ACCURACY)).met


@pytest.mark.parametrize(("value", "met"), [(0.25, False), (0.2501, True)])
def test_drift_fires_over_the_threshold_of_a_figure(
    session: Session, value: float, met: bool
) -> None:
    figures = [a_figure(0.01, name="calm"), a_figure(value, name="moved"), a_figure(None, None)]
    reading = trigger_rules.DRIFT.read(a_scene(session, drift=figures), chosen(trigger_rules.DRIFT))
    assert reading.met is met
    assert reading.sentence == "About moved."


def test_drift_needs_figures(session: Session) -> None:
    reading = trigger_rules.DRIFT.read(
        a_scene(session, drift=[a_figure(None, None)]), chosen(trigger_rules.DRIFT)
    )
    assert (reading.value, reading.met) == (None, False)


@pytest.mark.parametrize(("count", "met"), [(1000, False), (1001, True)])
def test_new_images_fires_over_a_thousand(session: Session, count: int, met: bool) -> None:
    scene = a_scene(session, catalog_diff=CatalogDiff({"pears": 500, "plums": count - 500}, 0, 0))
    reading = trigger_rules.NEW_IMAGES.read(scene, chosen(trigger_rules.NEW_IMAGES))
    assert (reading.value, reading.met) == (count, met)


def test_manual_never_fires(session: Session) -> None:
    assert not trigger_rules.MANUAL.read(a_scene(session), chosen(trigger_rules.MANUAL)).met


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
def test_when_a_schedule_is_due(
    kind: Schedule, at: datetime, last: datetime, following: datetime
) -> None:
    assert (last_due(kind, at), next_due(kind, at)) == (last, following)


@pytest.mark.parametrize(
    ("at", "met"),
    [(day(11, 23, 2, 59), False), (day(11, 23, 3), True), (day(12, 25), True)],
    ids=["not yet", "on time", "weeks late"],
)
def test_a_schedule_fires_once_it_is_due(session: Session, at: datetime, met: bool) -> None:
    stored = {"schedule": "weekly", "scheduled_at": AT}
    reading = trigger_rules.SCHEDULE.read(
        a_scene(session, at=at), chosen(trigger_rules.SCHEDULE, **stored)
    )
    assert reading.met is met


def test_a_schedule_that_fired_waits_for_the_next_time(session: Session) -> None:
    late = day(12, 25)  # It was due five times while nobody looked.
    stored = {"schedule": "weekly", "scheduled_at": AT, "last_fired_at": late}
    after = a_scene(session, at=late + timedelta(hours=2))
    reading = trigger_rules.SCHEDULE.read(after, chosen(trigger_rules.SCHEDULE, **stored))
    assert not reading.met
    assert "2026-12-28 03:00" in reading.sentence


def test_without_a_schedule_nothing_is_due(session: Session) -> None:
    for stored in ({}, {"schedule": "none", "scheduled_at": AT - timedelta(days=400)}):
        reading = trigger_rules.SCHEDULE.read(
            a_scene(session), chosen(trigger_rules.SCHEDULE, **stored)
        )
        assert not reading.met
