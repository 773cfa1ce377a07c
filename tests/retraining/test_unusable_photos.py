"""A run in which not all photos or classes can be used: what is left out and listed."""

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import DataError

from api.model.package import REPLAY
from api.model.replay_buffer import ReplayBuffer
from api.registry import store
from api.retraining import fast, repository
from api.retraining.plan import make_plan
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.photos import ImageRow
from tests.retraining.catalog import KNOWN, NEW, Run, add_photographs
from tests.retraining.test_run_process import known_versions, on_sqlite, serving


@on_sqlite
def test_class_that_is_too_small_is_left_out_and_named(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    """A stray correction with a new name must not stop all learning."""
    add_photographs(database, blobs, KNOWN[0], 30)
    add_photographs(database, blobs, "freshbananna", 1, shows=KNOWN[1], origin="feedback")
    finished = run()
    assert finished.state == "succeeded", finished.message
    assert "freshbananna (1)" in finished.message
    assert finished.verdict
    assert finished.verdict["promote"], finished.verdict["reasons"]
    assert finished.verdict["figures"]["left_out_classes"] == {"freshbananna": 1}
    package = store.fetch_package(blobs, str(finished.candidate), own.model_cache)
    assert package.manifest.classes == KNOWN
    with database.reading() as session:
        plan = make_plan(session, blobs, own)
    assert not plan.catalog_diff.any
    assert plan.left_out == {"freshbananna": 1}


@on_sqlite
def test_indistinguishable_new_class_does_not_stop_the_others(
    run: Run, own: Settings, database: Database, blobs: Blobs, champion: str
) -> None:
    """For example a folder of mixed photos under one class name."""
    for shows in KNOWN:
        add_photographs(database, blobs, "mixed", 6, shows=shows)
    alone = run()
    assert alone.state == "succeeded", alone.message
    assert "cannot tell the new class mixed" in alone.message
    assert serving(database) == champion

    add_photographs(database, blobs, NEW, 60)
    finished = run()
    assert finished.state == "succeeded", finished.message
    assert finished.verdict
    assert finished.verdict["promote"], finished.verdict["reasons"]
    assert finished.verdict["figures"]["unlearnable_classes"] == {"mixed": 12}
    assert "cannot be told from the other classes: mixed (12)" in finished.message
    package = store.fetch_package(blobs, str(finished.candidate), own.model_cache)
    assert package.manifest.classes == (*KNOWN, NEW)

    named = run(classes=[*KNOWN, NEW, "mixed"])
    assert "cannot tell the new class mixed" in named.message
    assert serving(database) == finished.candidate


@on_sqlite
def test_removals_are_learned_without_an_unlearnable_class(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    added = add_photographs(database, blobs, KNOWN[0], 30)
    assert run().verdict["promote"]  # type: ignore[index]
    for shows in KNOWN:
        add_photographs(database, blobs, "mixed", 6, shows=shows, first=2000)
    removed = added[:2]
    with database.session() as session:
        session.execute(delete(ImageRow).where(ImageRow.sha256.in_(removed)))
    finished = run()
    assert finished.verdict
    assert finished.verdict["promote"], finished.verdict["reasons"]
    assert finished.verdict["figures"]["unlearnable_classes"] == {"mixed": 12}
    package = store.fetch_package(blobs, str(finished.candidate), own.model_cache)
    replay = ReplayBuffer.load(package.folder / REPLAY)
    assert not set(removed) & set(replay.sha256.tolist())


@on_sqlite
def test_single_class_is_not_learned(
    run: Run,
    own: Settings,
    database: Database,
    blobs: Blobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fast, "unlearnable_classes", lambda _rows, _known: [KNOWN[1]])
    add_photographs(database, blobs, KNOWN[0], 30)
    finished = run()
    assert finished.state == "succeeded", finished.message
    package = store.fetch_package(blobs, str(finished.candidate), own.model_cache)
    assert package.manifest.classes == KNOWN


@on_sqlite
def test_requested_class_that_is_too_small_fails_with_a_message(
    run: Run, database: Database, blobs: Blobs, champion: str
) -> None:
    add_photographs(database, blobs, NEW, 5)
    finished = run(classes=[*KNOWN, NEW])
    assert finished.state == "failed"
    assert f"{NEW} (5): each class needs at least 8" in finished.message
    assert known_versions(database) == [champion]


@on_sqlite
def test_class_whose_photos_were_all_removed_can_go(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    added = add_photographs(database, blobs, NEW, 60)
    assert run().verdict["promote"]  # type: ignore[index]
    with database.session() as session:
        session.execute(delete(ImageRow).where(ImageRow.sha256.in_(added)))
    finished = run()
    assert finished.state == "succeeded", finished.message
    assert f"{NEW} (0)" in finished.message
    assert finished.verdict
    assert not finished.verdict["passed"]  # Only a person may give up a class.
    assert any(NEW in reason for reason in finished.verdict["reasons"])
    package = store.fetch_package(blobs, str(finished.candidate), own.model_cache)
    assert package.manifest.classes == KNOWN


@on_sqlite
def test_photo_deleted_meanwhile_is_skipped(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    add_photographs(database, blobs, NEW, 30)
    first = next(iter(blobs.keys("photographs")))
    blobs.delete(first)
    finished = run()
    assert finished.state == "succeeded", finished.message
    folder = store.fetch_package(blobs, str(finished.candidate), own.model_cache).folder
    replay = ReplayBuffer.load(folder / REPLAY)
    assert replay.catalog.sum() == 29


def damage(blobs: Blobs, key: str, how: str) -> None:
    data = blobs.get(key)
    match how:
        case "cut":
            blobs.put(key, data[: len(data) // 2])
        case "empty":
            blobs.put(key, b"")
        case "rot":
            blobs.put(key, data[:20] + bytes(40) + data[60:])
        case "text":
            blobs.put(key, b"not a photo")
        case "missing":
            blobs.delete(key)


@on_sqlite
def test_photos_that_cannot_be_read_are_skipped_and_named(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    damages = ["cut", "empty", "rot", "text", "missing"]
    add_photographs(database, blobs, NEW, 30)
    for key, how in zip(list(blobs.keys("photographs")), damages, strict=False):
        damage(blobs, key, how)
    finished = run()
    assert finished.state == "succeeded", finished.message
    assert finished.verdict
    figures = finished.verdict["figures"]
    assert figures["skipped"] == 5
    assert all(photo["filename"] in finished.message for photo in figures["skipped_photos"])
    assert "(its file is damaged)" in finished.message
    with database.reading() as session:
        plan = make_plan(session, blobs, own)
    # They do not stay new, which would trigger run after run.
    assert not plan.catalog_diff.any
    named = {photo["image_id"] for photo in figures["skipped_photos"]}
    assert {photo.image_id for photo in plan.unreadable} == named
    assert not finished.verdict["figures"]["left_out_classes"]


@on_sqlite
def test_photo_stays_unreadable_until_a_run_has_read_it(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    def unreadable() -> int:
        with database.reading() as session:
            plan = make_plan(session, blobs, own)
        assert not plan.catalog_diff.any
        return len(plan.unreadable)

    add_photographs(database, blobs, NEW, 30)
    key = next(iter(blobs.keys("photographs")))
    whole = blobs.get(key)
    damage(blobs, key, "cut")
    run()
    assert unreadable() == 1
    add_photographs(database, blobs, "tiny", 3, shows=KNOWN[0])
    assert run(classes=[*KNOWN, "tiny"]).state == "failed"  # Before it reads any photo.
    assert unreadable() == 1
    blobs.put(key, whole)
    assert run().state == "succeeded"
    assert unreadable() == 0


@on_sqlite
def test_run_that_cannot_note_unreadable_photos_tells_its_own_error(
    run: Run, database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DataError("UPDATE", None, ValueError("too long"))

    monkeypatch.setattr(repository, "mark_unreadable", fail)
    add_photographs(database, blobs, NEW, 5)
    assert f"{NEW} (5): each class needs" in run(classes=[*KNOWN, NEW]).message


@on_sqlite
def test_class_left_too_small_by_unreadable_photos_is_left_out(
    run: Run, database: Database, blobs: Blobs
) -> None:
    add_photographs(database, blobs, NEW, 9)
    for key in list(blobs.keys("photographs"))[:3]:
        damage(blobs, key, "cut")
    finished = run()
    assert finished.state == "succeeded", finished.message
    assert f"{NEW} (6)" in finished.message


@on_sqlite
def test_photo_over_a_lowered_limit_is_skipped(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    add_photographs(database, blobs, NEW, 20)
    lowered = own.model_copy(update={"max_pixels": 64 * 64 - 1})
    with database.reading() as session:
        plan = make_plan(session, blobs, lowered)
    assert len(plan.unreadable) == 20
    assert not plan.catalog_diff.any
    own.max_pixels = lowered.max_pixels
    finished = run()
    assert finished.state == "succeeded", finished.message
    assert "(more pixels than allowed)" in finished.message
    assert "and 15 more" in finished.message
