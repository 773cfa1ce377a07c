"""Firing: once, with its run, after the cooldown, and only if there is something to learn."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from api.monitoring import triggers
from api.monitoring.trigger_rules import RULES
from api.monitoring.triggers import (
    BadTriggerSettingError,
    TriggerState,
    UnknownTriggerError,
    change_settings,
    check_triggers,
    trigger_states,
)
from api.retraining import service as runs
from api.retraining.plan import CatalogDiff
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables import RunRow, TriggerRow
from tests.monitoring.samples import AT, NOTHING, SOMETHING, a_context

MANY = CatalogDiff({"pears": 2000}, 0, 0)


class World:
    """A catalog whose rules see the context that the test sets."""

    def __init__(self, database: Database, blobs: Blobs, settings: Settings) -> None:
        self.database, self._blobs, self._settings = database, blobs, settings
        self.catalog_diff = SOMETHING

    def check(self, at: datetime = AT) -> RunRow | None:
        return check_triggers(self.database, self._blobs, self._settings, at)

    def states(self, at: datetime = AT) -> dict[str, TriggerState]:
        with self.database.reading() as session:
            found = trigger_states(session, self._settings, self._blobs, at)
        return {one.rule.name: one for one in found}

    def set(self, name: str, at: datetime = AT, **settings: object) -> None:
        with self.database.session() as session:
            change_settings(session, name, settings, at)

    def end_run(self) -> None:
        with self.database.session() as session:
            for run in session.scalars(select(RunRow)):
                runs.end(run, "succeeded", "")

    @property
    def runs(self) -> list[RunRow]:
        with self.database.reading() as session:
            return list(session.scalars(select(RunRow).order_by(RunRow.created_at)))


@pytest.fixture
def world(
    database: Database,
    blobs: Blobs,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    world = World(database, blobs, settings.model_copy(update={"state_dir": tmp_path}))
    monkeypatch.setattr(
        triggers,
        "_context",
        lambda session, *rest: a_context(session, catalog_diff=world.catalog_diff, at=rest[-1]),
    )
    return world


def test_without_a_met_rule_nothing_fires(world: World) -> None:
    assert world.check() is None
    assert world.runs == []


def test_a_trigger_creates_a_run_and_records_it(world: World) -> None:
    world.catalog_diff = MANY
    assert world.states()["new-images"].would_fire
    fired = world.check()
    (run,) = world.runs
    assert fired is not None
    assert fired.id == run.id
    assert (run.mode, run.started_by, run.state) == ("fast", "trigger:new-images", "queued")
    now = world.states()["new-images"]
    assert (now.config.last_fired_at, now.config.last_run_id) == (AT, run.id)
    assert not now.would_fire


def test_the_cooldown(world: World) -> None:
    world.catalog_diff = MANY
    world.check()
    world.end_run()
    early = AT + timedelta(hours=23, minutes=59)
    assert "Cooling down until 2026-11-22 12:00" in world.states(early)["new-images"].reason
    assert world.check(early) is None
    assert world.check(AT + timedelta(hours=24))


def test_the_cooldown_can_be_set(world: World) -> None:
    world.catalog_diff = MANY
    world.set("new-images", cooldown_hours=2)
    world.check()
    world.end_run()
    assert world.check(AT + timedelta(hours=1)) is None
    assert world.check(AT + timedelta(hours=2))


def test_nothing_fires_while_a_run_is_active(world: World) -> None:
    world.catalog_diff = MANY
    with world.database.session() as session:
        runs.create_run(session, mode="fast", started_by="manual", options={})
    assert "queued or running" in world.states()["new-images"].reason
    assert world.check() is None
    assert len(world.runs) == 1
    world.end_run()
    assert world.check()


def test_a_run_created_in_between(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between evaluating and firing, another process creates a run."""
    world.catalog_diff = MANY
    states = list(world.states().values())
    with world.database.session() as session:
        runs.create_run(session, mode="fast", started_by="manual", options={})
    monkeypatch.setattr(triggers, "trigger_states", lambda *_: states)
    assert world.check() is None
    assert len(world.runs) == 1
    assert world.states()["new-images"].config.last_fired_at is None


def test_two_workers_fire_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second evaluated before the first fired, and that run is already over."""
    world.catalog_diff = MANY
    states = list(world.states().values())
    assert world.check()
    world.end_run()
    monkeypatch.setattr(triggers, "trigger_states", lambda *_: states)
    assert world.check() is None
    assert len(world.runs) == 1


def test_an_interrupted_firing_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.catalog_diff = MANY
    start = runs.create_run

    def die(*arguments: object, **options: object) -> None:
        start(*arguments, **options)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(triggers, "create_run", die)
        with pytest.raises(KeyboardInterrupt):
            world.check()
    assert world.runs == []
    assert world.states()["new-images"].config.last_fired_at is None
    assert world.check()


def test_a_disabled_trigger_does_not_fire(world: World) -> None:
    world.catalog_diff = MANY
    world.set("new-images", enabled=False)
    assert "Switched off" in world.states()["new-images"].reason
    assert world.check() is None
    world.set("new-images", enabled=True)
    assert world.check()


def test_a_threshold_can_be_set_and_reset(world: World) -> None:
    world.set("new-images", threshold=2)
    assert world.states()["new-images"].would_fire
    world.set("new-images", threshold=None)
    assert world.states()["new-images"].config.threshold == 1000


def test_a_schedule_fires_once_for_missed_due_times(world: World) -> None:
    world.set("schedule", schedule="weekly")
    assert world.check(AT + timedelta(hours=1)) is None
    late = AT + timedelta(days=40)
    fired = world.check(late)
    assert fired is not None
    assert fired.started_by == "trigger:schedule"
    world.end_run()
    assert world.check(late + timedelta(hours=2)) is None
    assert world.check(late + timedelta(days=7))


def test_other_settings_do_not_move_the_schedule(world: World) -> None:
    world.set("schedule", schedule="weekly")
    late = AT + timedelta(days=8)
    world.set("schedule", at=late, cooldown_hours=5, schedule="weekly")
    assert world.check(late)


def test_a_new_schedule_ignores_earlier_due_times(world: World) -> None:
    world.set("schedule", schedule="monthly")
    assert not world.states()["schedule"].would_fire


def test_with_nothing_to_learn_nothing_fires(world: World) -> None:
    world.set("schedule", schedule="weekly")
    world.catalog_diff = NOTHING
    late = AT + timedelta(days=8)
    assert "Waiting for new photos" in world.states(late)["schedule"].reason
    assert world.check(late) is None
    world.catalog_diff = SOMETHING
    assert world.check(late)


def test_without_a_champion_nothing_fires(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    assert check_triggers(database, blobs, settings, AT) is None


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
    ],
)
def test_invalid_settings_are_refused(
    database: Database, name: str, settings: dict[str, object]
) -> None:
    with pytest.raises(BadTriggerSettingError), database.session() as session:
        change_settings(session, name, settings, AT)
    with database.reading() as session:
        assert session.scalars(select(TriggerRow)).all() == []


def test_an_unknown_trigger_lists_the_known_ones(database: Database) -> None:
    with pytest.raises(UnknownTriggerError) as caught, database.session() as session:
        change_settings(session, "moon", {}, AT)
    assert all(name in caught.value.detail for name in RULES)
