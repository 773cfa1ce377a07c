"""A trigger does not start a second run on the same photos as its last run."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import delete, update

from api.monitoring import suggestions, trigger_check
from api.monitoring.trigger_rules import MAX_ATTEMPTS
from api.monitoring.triggers import trigger_states
from api.retraining import repository
from api.retraining.plan import CatalogDiff, make_plan
from api.retraining.queue import RunQueue
from api.retraining.service import create_run, end
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.photos import ImageRow
from tests.monitoring.conftest import MakeHarness
from tests.monitoring.samples import AT
from tests.monitoring.trigger_harness import TriggerHarness
from tests.retraining.catalog import KNOWN, NEW, add_photographs, install_champion

MANY = CatalogDiff({"pears": 2000}, 0, 0)
DAY = timedelta(hours=25)  # Longer than the cooldown.


@pytest.mark.parametrize("mode", ["start", "start_and_promote"])
@pytest.mark.parametrize("state", ["succeeded", "cancelled"])
def test_run_that_changed_nothing_is_not_started_again(
    make_harness: MakeHarness, mode: Any, state: str
) -> None:
    """It was rejected, waits for a person, or was cancelled by one; the next would end the same
    way."""
    harness = make_harness(mode)
    harness.catalog_diff, harness.photos = MANY, "some"
    assert harness.check()
    harness.end_run(state)
    for days in range(1, 5):
        assert harness.check(AT + days * DAY) is None
    shown = harness.states(AT + 5 * DAY)["new-images"]
    assert not shown.would_fire
    assert "Waiting for new photos: the last run of this trigger had the same ones" in shown.reason
    assert "2000 training images are new" in shown.reason

    harness.photos = "others"
    assert harness.states(AT + 5 * DAY)["new-images"].would_fire
    assert harness.check(AT + 5 * DAY)
    assert len(harness.runs) == 2


@pytest.mark.parametrize("state", ["failed", "interrupted"])
def test_run_without_a_result_is_started_again_after_the_cooldown(
    make_harness: MakeHarness, state: str
) -> None:
    """Memory ran out, or the store or worker was gone: that may pass, and the photos were not
    learned."""
    harness = make_harness("start")
    harness.catalog_diff, harness.photos = MANY, "some"
    assert harness.check()
    harness.end_run(state)
    assert harness.check(AT + DAY / 2) is None
    assert harness.check(AT + DAY)
    harness.end_run("succeeded")
    assert harness.check(AT + 2 * DAY) is None


@pytest.mark.parametrize("states", [["failed"], ["interrupted"], ["failed", "interrupted"]])
def test_runs_without_a_result_come_to_an_end(make_harness: MakeHarness, states: list[str]) -> None:
    harness = make_harness("start")
    harness.catalog_diff, harness.photos = MANY, "some"
    for attempt in range(MAX_ATTEMPTS):
        assert harness.states(AT + attempt * DAY)["new-images"].would_fire
        assert harness.check(AT + attempt * DAY)
        harness.end_run(states[attempt % len(states)])
    for days in range(MAX_ATTEMPTS, MAX_ATTEMPTS + 3):
        assert harness.check(AT + days * DAY) is None
    late = AT + (MAX_ATTEMPTS + 3) * DAY
    shown = harness.states(late)["new-images"]
    assert not shown.would_fire
    assert "the last 3 runs of this trigger failed or were interrupted" in shown.reason
    assert "2000 training images are new" in shown.reason

    harness.photos = "others"
    for attempt in range(MAX_ATTEMPTS):
        assert harness.check(late + attempt * DAY)
        harness.end_run("failed")
    assert harness.check(late + MAX_ATTEMPTS * DAY) is None
    assert len(harness.runs) == 2 * MAX_ATTEMPTS


def test_run_is_not_started_again_once_another_has_succeeded(make_harness: MakeHarness) -> None:
    """A person's run had the same photos: it was rejected, otherwise they would not be new."""
    harness = make_harness("start")
    harness.catalog_diff, harness.photos = MANY, "some"
    assert harness.check()
    harness.end_run("failed")
    with harness.database.session() as session:
        run = create_run(session, mode="fast", started_by="manual", options={})
        end(run, "succeeded", "")
    assert harness.check(AT + DAY) is None
    assert harness.states(AT + DAY)["new-images"].reason.startswith("Waiting for new photos")


def test_scheduled_run_without_a_result_does_not_wait_for_the_next_due_time(
    make_harness: MakeHarness,
) -> None:
    harness = make_harness("start")
    harness.set("new-images", mode="off")
    harness.set("schedule", schedule="weekly")
    harness.photos = "some"
    monday = AT + timedelta(days=2)
    for attempt in range(MAX_ATTEMPTS):
        run = harness.check(monday + timedelta(hours=2 * attempt))
        assert run
        assert run.started_by == "trigger:schedule"
        harness.end_run("failed")
        assert harness.check(monday + timedelta(hours=2 * attempt, minutes=30)) is None
    assert harness.check(monday + timedelta(hours=9)) is None
    assert "Waiting" not in harness.states(monday + timedelta(hours=9))["schedule"].reason
    assert "Waiting" in harness.states(monday + timedelta(days=7))["schedule"].reason


def test_another_trigger_has_its_own_run(make_harness: MakeHarness) -> None:
    harness = make_harness("start")
    harness.set("schedule", schedule="weekly")
    harness.catalog_diff, harness.photos = MANY, "some"
    late = AT + timedelta(days=8)
    started = []
    for days in range(4):
        if run := harness.check(late + days * DAY):
            started.append(run.started_by)
            harness.end_run()
    assert started == ["trigger:new-images", "trigger:schedule"]


def test_worker_that_evaluated_before_the_last_run_starts_none(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = make_harness("start")
    harness.catalog_diff, harness.photos = MANY, "some"
    states = list(harness.states().values())
    assert harness.check()
    harness.end_run()
    monkeypatch.setattr(trigger_check, "trigger_states", lambda *_: states)
    assert harness.check(AT + DAY) is None


@pytest.fixture
def suggesting(make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch) -> TriggerHarness:
    class Plan:
        catalog_diff, champion, photos = MANY, "v1", "some"
        left_out: ClassVar[dict[str, int]] = {}

    monkeypatch.setattr(suggestions, "make_plan", lambda *_: Plan)
    harness = make_harness("suggest")
    harness.catalog_diff, harness.photos = MANY, "some"
    return harness


def _suggested(harness: TriggerHarness, at: datetime) -> list[str]:
    """Ids of the open suggestions after a check."""
    harness.check(at)
    with harness.database.reading() as session:
        return [row.id for row in suggestions.open_suggestions(session)]


def _accept(harness: TriggerHarness, suggestion_id: str, at: datetime) -> None:
    queue = RunQueue(harness.settings)
    suggestions.accept(harness.database, harness.blobs, harness.settings, queue, suggestion_id)
    with harness.database.session() as session:
        suggestions.lock_trigger(session, "new-images").last_fired_at = at


def test_accepted_suggestion_does_not_come_again_for_the_same_photos(
    suggesting: TriggerHarness,
) -> None:
    [first] = _suggested(suggesting, AT)
    _accept(suggesting, first, AT)
    suggesting.end_run()
    assert not _suggested(suggesting, AT + DAY)
    suggesting.photos = "others"
    assert _suggested(suggesting, AT + DAY)


def test_accepted_suggestion_whose_run_failed_comes_again(suggesting: TriggerHarness) -> None:
    for attempt in range(MAX_ATTEMPTS):
        [suggested] = _suggested(suggesting, AT + attempt * DAY)
        _accept(suggesting, suggested, AT + attempt * DAY)
        suggesting.end_run("failed")
    assert not _suggested(suggesting, AT + MAX_ATTEMPTS * DAY)


def test_what_counts_as_the_same_photos(
    settings: Settings, database: Database, blobs: Blobs, tmp_path: Any
) -> None:
    own = settings.model_copy(update={"state_dir": tmp_path / "state"})
    install_champion(database, blobs, tmp_path)
    added = add_photographs(database, blobs, NEW, 12)

    def photos() -> str:
        with database.reading() as session:
            return make_plan(session, blobs, own).photos

    before = photos()
    with database.reading() as session:
        states = trigger_states(session, own, blobs, AT)
    assert {state.photos for state in states} == {before}
    with database.session() as session:
        repository.mark_unreadable(session, {added[0]: "damaged"}, [])
    # Learned by a run, so it is not new for the next.
    assert photos() == before
    with database.session() as session:
        relabelled = update(ImageRow).where(ImageRow.sha256 == added[1])
        session.execute(relabelled.values(class_name=KNOWN[0]))
    relabelled_photos = photos()
    assert relabelled_photos != before
    with database.session() as session:
        session.execute(delete(ImageRow).where(ImageRow.sha256 == added[2]))
    assert photos() not in {before, relabelled_photos}
