"""Firing triggers: once, together with a run, after the cooldown, and only with new photos."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import select, text

from api.monitoring import trigger_check, triggers
from api.monitoring.trigger_check import check_triggers
from api.monitoring.trigger_rules import RULES
from api.monitoring.triggers import BadTriggerSettingError, UnknownTriggerError, change_settings
from api.registry.service import register_shipped
from api.retraining import service as runs
from api.retraining.plan import CatalogDiff, TooFewClassesError
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.triggers import TriggerRow
from tests.monitoring.conftest import MakeHarness
from tests.monitoring.samples import AT, NOTHING, SOMETHING
from tests.monitoring.trigger_harness import TriggerHarness
from tests.waiting import until

MANY = CatalogDiff({"pears": 2000}, 0, 0)


@pytest.fixture
def harness(make_harness: MakeHarness) -> TriggerHarness:
    return make_harness("start_and_promote")


def test_no_rule_met_fires_nothing(harness: TriggerHarness) -> None:
    assert harness.check() is None
    assert harness.runs == []


def test_trigger_creates_a_run_and_records_it(harness: TriggerHarness) -> None:
    harness.catalog_diff = MANY
    assert harness.states()["new-images"].would_fire
    fired = harness.check()
    (run,) = harness.runs
    assert fired is not None
    assert fired.id == run.id
    assert (run.mode, run.started_by, run.state) == ("fast", "trigger:new-images", "queued")
    now = harness.states()["new-images"]
    assert (now.config.last_fired_at, now.config.last_run_id) == (AT, run.id)
    assert not now.would_fire


def test_trigger_does_not_fire_during_its_cooldown(harness: TriggerHarness) -> None:
    harness.catalog_diff = MANY
    harness.check()
    harness.end_run()
    early = AT + timedelta(hours=23, minutes=59)
    assert "Cooling down until 2026-11-22 12:00" in harness.states(early)["new-images"].reason
    assert harness.check(early) is None
    assert harness.check(AT + timedelta(hours=24))


def test_trigger_that_fired_in_the_future_does_not_wait_until_then(
    harness: TriggerHarness,
) -> None:
    """The clock was wrong and has been set back."""
    harness.catalog_diff = MANY
    harness.check(AT + timedelta(days=800))
    harness.end_run()
    assert harness.check(AT)
    harness.end_run()
    assert harness.check(AT + timedelta(hours=1)) is None


def test_cooldown_is_configurable(harness: TriggerHarness) -> None:
    harness.catalog_diff = MANY
    harness.set("new-images", cooldown_hours=2)
    harness.check()
    harness.end_run()
    assert harness.check(AT + timedelta(hours=1)) is None
    assert harness.check(AT + timedelta(hours=2))


def test_nothing_fires_while_a_run_is_active(harness: TriggerHarness) -> None:
    harness.catalog_diff = MANY
    with harness.database.session() as session:
        runs.create_run(session, mode="fast", started_by="manual", options={})
    assert "queued or running" in harness.states()["new-images"].reason
    assert harness.check() is None
    assert len(harness.runs) == 1
    harness.end_run()
    assert harness.check()


def test_trigger_does_not_fire_if_another_run_was_just_created(
    harness: TriggerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process creates a run between evaluating and firing."""
    harness.catalog_diff = MANY
    states = list(harness.states().values())
    with harness.database.session() as session:
        runs.create_run(session, mode="fast", started_by="manual", options={})
    monkeypatch.setattr(trigger_check, "trigger_states", lambda *_: states)
    assert harness.check() is None
    assert len(harness.runs) == 1
    assert harness.states()["new-images"].config.last_fired_at is None


def test_concurrent_workers_fire_once(
    harness: TriggerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second worker evaluated before the first one fired, whose run has already ended."""
    harness.catalog_diff = MANY
    states = list(harness.states().values())
    assert harness.check()
    harness.end_run()
    monkeypatch.setattr(trigger_check, "trigger_states", lambda *_: states)
    assert harness.check() is None
    assert len(harness.runs) == 1


def test_interrupted_firing_is_rolled_back(
    harness: TriggerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.catalog_diff = MANY
    start = runs.create_run

    def die(*arguments: object, **options: object) -> None:
        start(*arguments, **options)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trigger_check, "create_run", die)
        with pytest.raises(KeyboardInterrupt):
            harness.check()
    assert harness.runs == []
    assert harness.states()["new-images"].config.last_fired_at is None
    assert harness.check()


def test_disabled_trigger_does_not_fire(harness: TriggerHarness) -> None:
    harness.catalog_diff = MANY
    harness.set("new-images", enabled=False)
    assert "Switched off" in harness.states()["new-images"].reason
    assert harness.check() is None
    harness.set("new-images", enabled=True)
    assert harness.check()


def test_threshold_is_set_and_reset(harness: TriggerHarness) -> None:
    harness.set("new-images", threshold=2)
    assert harness.states()["new-images"].would_fire
    harness.set("new-images", threshold=None)
    assert harness.states()["new-images"].config.threshold == 1000


def test_schedule_fires_once_for_missed_due_times(harness: TriggerHarness) -> None:
    harness.set("schedule", schedule="weekly")
    assert harness.check(AT + timedelta(hours=1)) is None
    late = AT + timedelta(days=40)
    fired = harness.check(late)
    assert fired is not None
    assert fired.started_by == "trigger:schedule"
    harness.end_run()
    assert harness.check(late + timedelta(hours=2)) is None
    assert harness.check(late + timedelta(days=7))


def test_other_settings_do_not_restart_the_schedule(harness: TriggerHarness) -> None:
    harness.set("schedule", schedule="weekly")
    late = AT + timedelta(days=8)
    harness.set("schedule", at=late, cooldown_hours=5, schedule="weekly")
    assert harness.check(late)


def test_new_schedule_ignores_earlier_due_times(harness: TriggerHarness) -> None:
    harness.set("schedule", schedule="monthly")
    assert not harness.states()["schedule"].would_fire


def test_trigger_waits_for_new_photos(harness: TriggerHarness) -> None:
    harness.set("schedule", schedule="weekly")
    harness.catalog_diff = NOTHING
    late = AT + timedelta(days=8)
    assert "Waiting for new photos" in harness.states(late)["schedule"].reason
    assert harness.check(late) is None
    harness.catalog_diff = SOMETHING
    assert harness.check(late)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError("Could not connect"), "cannot be read now. The service log says why."),
        (TooFewClassesError(["apple"], {}), "A grader needs at least two classes; this one"),
    ],
)
def test_failed_estimate_does_not_count_as_nothing_new(
    database: Database,
    blobs: Blobs,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    error: Exception,
    words: str,
) -> None:
    def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(triggers, "make_plan", fail)
    monkeypatch.setattr(triggers, "current_drift", fail)
    register_shipped(database, blobs, settings.model_dir)
    own = settings.model_copy(update={"state_dir": tmp_path, "trigger_mode": "start"})
    with database.session() as session:
        change_settings(session, "schedule", {"schedule": "weekly"}, "start", AT)
    late = AT + timedelta(days=8)
    with database.reading() as session:
        reasons = {
            state.rule.name: state.reason
            for state in triggers.trigger_states(session, own, blobs, late)
        }
    assert check_triggers(database, blobs, own, late) is None
    assert reasons["schedule"].startswith("Waiting, as no run could start: ")
    assert words in reasons["schedule"]
    assert "How many training images are new is unknown" in reasons["new-images"]
    assert words in reasons["new-images"]
    assert reasons["drift"] == "The drift is unknown. The service log says why."


def test_without_a_champion_nothing_fires(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    assert check_triggers(database, blobs, settings, AT) is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_people_set_a_trigger_for_the_first_time(harness: TriggerHarness) -> None:
    """The first inserts the row; SQLite allows only one writer at a time."""
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    def is_waiting() -> bool:
        with harness.database.reading() as session:
            return bool(session.scalar(waits))

    with ThreadPoolExecutor(1) as pool:
        with harness.database.session() as session:
            change_settings(session, "drift", {"mode": "off"}, "suggest", AT)
            session.flush()
            second = pool.submit(harness.set, "drift", threshold=2)
            until(lambda: is_waiting() or second.done())
        second.result()
    config = harness.states()["drift"].config
    assert (config.mode, config.threshold) == ("off", 2)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("accuracy", {"threshold": 0.4}),
        ("accuracy", {"threshold": float("nan")}),
        ("new-images", {"threshold": 1e9}),
        ("new-images", {"schedule": "weekly"}),
        ("schedule", {"threshold": 1}),
        ("drift", {"cooldown_hours": 0}),
        ("drift", {"cooldown_hours": 1e6}),
        ("manual", {"enabled": False}),
        ("manual", {"mode": "start"}),
        ("drift", {"mode": "start", "enabled": True}),
    ],
)
def test_invalid_settings_are_rejected(
    database: Database, name: str, settings: dict[str, object]
) -> None:
    with pytest.raises(BadTriggerSettingError), database.session() as session:
        change_settings(session, name, settings, "suggest", AT)
    with database.reading() as session:
        assert session.scalars(select(TriggerRow)).all() == []


def test_unknown_trigger_lists_the_known_ones(database: Database) -> None:
    with pytest.raises(UnknownTriggerError) as caught, database.session() as session:
        change_settings(session, "moon", {}, "suggest", AT)
    assert all(name in caught.value.detail for name in RULES)
