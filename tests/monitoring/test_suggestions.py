"""Suggestions are made once, answered once, and repeated only for a new reason."""

from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

import pytest
from sqlalchemy import select

from api.monitoring import suggestions, trigger_check
from api.monitoring.suggestions import (
    SuggestionOverError,
    UnknownSuggestionError,
    accept,
    dismiss,
)
from api.retraining.plan import CatalogDiff
from api.retraining.queue import RunQueue
from api.retraining.service import NothingNewError, RunActiveError, create_run
from api.settings import Settings
from api.storage.tables.models import RunRow
from api.storage.tables.triggers import SuggestionRow
from tests.monitoring.conftest import MakeHarness
from tests.monitoring.samples import AT, NOTHING, SOMETHING, a_champion
from tests.monitoring.trigger_harness import TriggerHarness

MANY = CatalogDiff({"pears": 1200}, 0, 0)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def harness(make_harness: MakeHarness) -> TriggerHarness:
    harness = make_harness("suggest")
    harness.catalog_diff = MANY
    return harness


@pytest.fixture
def queue(harness: TriggerHarness) -> RunQueue:
    return RunQueue(harness.settings)


def listed(harness: TriggerHarness) -> list[SuggestionRow]:
    """All suggestions, including closed ones."""
    with harness.database.reading() as session:
        return list(session.scalars(select(SuggestionRow).order_by(SuggestionRow.created_at)))


def start(harness: TriggerHarness, queue: RunQueue, suggestion_id: str) -> RunRow:
    return accept(harness.database, harness.blobs, harness.settings, queue, suggestion_id)


def dismiss_open(harness: TriggerHarness) -> None:
    [row] = [row for row in listed(harness) if row.state == "open"]
    with harness.database.session() as session:
        dismiss(session, row.id, AT + MINUTE)


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Callable[[CatalogDiff], None]:
    """Sets what a run would learn."""

    def learn(diff: CatalogDiff) -> None:
        class Plan:
            catalog_diff, champion, photos = diff, "v1", "some"
            left_out: ClassVar[dict[str, int]] = {}

        monkeypatch.setattr(suggestions, "make_plan", lambda *_: Plan)

    learn(MANY)
    return learn


def test_by_default_a_trigger_suggests_and_starts_nothing(harness: TriggerHarness) -> None:
    assert Settings().trigger_mode == "suggest"
    assert harness.states()["new-images"].would_fire
    assert harness.check() is None
    assert harness.runs == []
    [row] = listed(harness)
    assert (row.trigger_name, row.state, row.version, row.created_at) == (
        *("new-images", "open", "v1"),
        AT,
    )
    assert (row.value, row.threshold) == (1200, 1000)
    assert "1200 training images are new" in row.reason
    state = harness.states()["new-images"]
    assert not state.would_fire
    assert "waits for a person" in state.reason


def test_there_is_one_open_suggestion_by_trigger(harness: TriggerHarness) -> None:
    for minute in range(3):
        harness.check(AT + minute * MINUTE)
    assert len(listed(harness)) == 1


def test_workers_that_see_the_same_suggest_it_once(
    harness: TriggerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = list(harness.states().values())
    harness.check()
    monkeypatch.setattr(trigger_check, "trigger_states", lambda *_: states)
    harness.check()
    assert len(listed(harness)) == 1


def test_accepted_suggestion_starts_a_run(
    harness: TriggerHarness, queue: RunQueue, plan: Callable[[CatalogDiff], None]
) -> None:
    harness.check()
    run = start(harness, queue, listed(harness)[0].id)
    assert (run.mode, run.started_by, run.options) == ("fast", "suggestion:new-images", {})
    [row] = listed(harness)
    assert (row.state, row.run_id) == ("accepted", run.id)
    assert harness.states()["new-images"].config.last_run_id == run.id
    with pytest.raises(SuggestionOverError):
        start(harness, queue, row.id)
    harness.end_run()
    assert len(harness.runs) == 1
    assert row.ended_at is not None
    assert "Cooling down" in harness.states(row.ended_at + MINUTE)["new-images"].reason


def test_suggestion_stays_open_if_no_run_can_start(
    harness: TriggerHarness, queue: RunQueue, plan: Callable[[CatalogDiff], None]
) -> None:
    harness.check()
    [row] = listed(harness)
    plan(NOTHING)
    with pytest.raises(NothingNewError):
        start(harness, queue, row.id)
    plan(SOMETHING)
    harness.set("drift", mode="off")
    with harness.database.session() as session:
        create_run(session, mode="full", started_by="manual", options={})
    with pytest.raises(RunActiveError):
        start(harness, queue, row.id)
    assert [one.state for one in listed(harness)] == ["open"]


def test_dismissed_suggestion_comes_again_when_its_value_has_grown(
    harness: TriggerHarness,
) -> None:
    harness.check()
    dismiss_open(harness)
    harness.catalog_diff = CatalogDiff({"pears": 2200}, 0, 0)
    assert "Dismissed" in harness.states()["new-images"].reason
    harness.check(AT + timedelta(days=3))
    assert [row.state for row in listed(harness)] == ["dismissed"]
    harness.catalog_diff = CatalogDiff({"pears": 2201}, 0, 0)
    harness.check(AT + timedelta(days=3))
    assert [row.state for row in listed(harness)] == ["dismissed", "open"]


def test_dismissed_suggestion_comes_again_after_it_did_not_hold(harness: TriggerHarness) -> None:
    harness.check()
    dismiss_open(harness)
    harness.catalog_diff = SOMETHING
    harness.check(AT + 2 * MINUTE)
    harness.catalog_diff = MANY
    harness.check(AT + 3 * MINUTE)
    assert [row.state for row in listed(harness)] == ["dismissed", "open"]


def test_dismissed_suggestion_comes_again_with_another_version(harness: TriggerHarness) -> None:
    harness.check()
    dismiss_open(harness)
    harness.champion = a_champion(version="v2")
    harness.check(AT + 2 * MINUTE)
    assert [row.version for row in listed(harness) if row.state == "open"] == ["v2"]


def test_dismissed_due_time_is_over_and_the_next_one_is_suggested(harness: TriggerHarness) -> None:
    harness.catalog_diff = SOMETHING
    harness.set("schedule", schedule="weekly")
    harness.check(AT + timedelta(days=2))
    [row] = listed(harness)
    with harness.database.session() as session:
        dismiss(session, row.id, AT + timedelta(days=3))
    for days in (3, 7, 8):
        harness.check(AT + timedelta(days=days))
        assert len(listed(harness)) == 1
    harness.check(AT + timedelta(days=9))
    assert [row.state for row in listed(harness)] == ["dismissed", "open"]


@pytest.mark.parametrize("change", ["not met", "nothing new", "version", "mode"])
def test_open_suggestion_that_holds_no_longer_is_withdrawn(
    harness: TriggerHarness, change: str
) -> None:
    harness.check()
    match change:
        case "not met":
            harness.catalog_diff = SOMETHING
        case "nothing new":
            harness.set("new-images", threshold=1)
            harness.catalog_diff = NOTHING
        case "version":
            harness.champion = a_champion(version="v2")
        case "mode":
            harness.set("new-images", mode="off")
    harness.check(AT + MINUTE)
    [row] = listed(harness)
    assert (row.state, row.active) == ("withdrawn", None)
    with pytest.raises(SuggestionOverError), harness.database.session() as session:
        dismiss(session, row.id, AT)


def test_suggestion_stays_while_it_cannot_be_checked(harness: TriggerHarness) -> None:
    harness.check()
    harness.catalog_diff = None
    harness.check(AT + MINUTE)
    assert [row.state for row in listed(harness)] == ["open"]


@pytest.mark.parametrize(
    ("mode", "options"), [("start", {"promote": "person"}), ("start_and_promote", {})]
)
def test_modes_that_start_a_run_say_who_promotes(
    harness: TriggerHarness, mode: str, options: dict[str, str]
) -> None:
    harness.check()
    harness.set("new-images", mode=mode)
    run = harness.check()
    assert run is not None
    assert (run.started_by, run.options) == ("trigger:new-images", options)
    assert [row.state for row in listed(harness)] == ["withdrawn"]


def test_switching_by_enabled_never_lets_a_trigger_do_more_than_the_default(
    harness: TriggerHarness,
) -> None:
    def mode() -> str:
        return harness.states()["drift"].config.mode

    harness.set("drift", enabled=True)
    assert mode() == "suggest"
    harness.set("drift", mode="start")
    harness.set("drift", enabled=True)
    assert mode() == "start"
    harness.set("drift", enabled=False)
    assert mode() == "off"
    harness.set("drift", enabled=True)
    assert mode() == "suggest"
    harness.set("drift", mode=None)
    assert mode() == "suggest"


@pytest.mark.parametrize("suggestion_id", ["a" * 32, "\x00", "nothing"])
def test_unknown_suggestions_are_named(harness: TriggerHarness, suggestion_id: str) -> None:
    with pytest.raises(UnknownSuggestionError), harness.database.session() as session:
        dismiss(session, suggestion_id, AT)
