"""A run from its row to its verdict, with few photos."""

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.core.paired_comparison import MetricPair
from api.evaluation.build import with_detector
from api.model.package import REPLAY, load_package
from api.model.predictor import Predictor
from api.model.replay_buffer import ReplayBuffer
from api.monitoring.trigger_check import WAITS
from api.registry import repository as registry
from api.registry import service as registry_service
from api.registry import store
from api.registry.service import promote
from api.retraining import fast, run_process
from api.retraining.job import Candidate
from api.retraining.plan import make_plan
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.models import ModelRow
from api.storage.tables.photos import ImageRow
from api.training.detection.train import TrainedDetector
from tests.retraining.catalog import DEFAULT, KNOWN, NEW, SMALL, Run, add_photographs, picture
from tests.retraining.test_boxed_fruits import add_boxed_photo
from tests.synthetic_images import encode

pytestmark = pytest.mark.slow

# For tests that do not depend on the kind of database.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def serving(database: Database) -> str | None:
    with database.reading() as session:
        return registry.champion_version(session)


def known_versions(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(ModelRow.version)))


@pytest.mark.parametrize(
    ("database_url", "champion"),
    [("sqlite", DEFAULT.backbone), ("postgresql", SMALL)],
    ids=["sqlite-default", "postgresql-small"],
    indirect=True,
)
def test_new_class_is_learned_and_promoted(
    run: Run, own: Settings, database: Database, blobs: Blobs, champion: str
) -> None:
    added = add_photographs(database, blobs, NEW, 60)
    finished = run()
    assert finished.state == "succeeded", finished.message
    assert finished.verdict is not None
    assert finished.verdict["promote"], finished.verdict["reasons"]
    assert serving(database) == finished.candidate != champion
    folder = store.fetch_package(blobs, str(finished.candidate), own.model_cache).folder
    package = load_package(folder)
    assert package.head.several is not None  # Kept, since the backbone is the same.
    manifest = package.manifest
    assert manifest.classes == (*KNOWN, NEW)
    assert (manifest.parent, manifest.started_by) == (champion, "me")
    assert manifest.recipe["mode"] == "fast"
    assert manifest.grader_made_at == manifest.created_at
    assert manifest.metrics["test_by_photograph"]["accuracy"] > 0.9
    predictor = Predictor.of_package(package)
    graded = [predictor.predict(encode(picture(NEW, seed))) for seed in range(5000, 5030)]
    assert sum(grade.class_name == NEW for grade in graded) >= 27
    replay = ReplayBuffer.load(folder / REPLAY)
    assert set(replay.sha256[replay.catalog]) == set(added)
    assert len(replay.others) == 8
    assert set(replay.splits[replay.view_of]) == {"train"}
    assert len(replay.views) == 2 * (replay.catalog & (replay.splits == "train")).sum()
    with database.reading() as session:
        assert not make_plan(session, blobs, own).catalog_diff.any


@on_sqlite
@pytest.mark.parametrize("set_by", ["settings", "trigger"])
def test_version_that_passed_waits_for_a_person_where_that_is_set(
    run: Run, own: Settings, database: Database, blobs: Blobs, champion: str, *, set_by: str
) -> None:
    if set_by == "settings":
        own.promote = "person"
    add_photographs(database, blobs, NEW, 60)
    finished = run(**(WAITS if set_by == "trigger" else {}))
    assert finished.state == "succeeded", finished.message
    assert finished.verdict
    assert finished.verdict["passed"], finished.verdict["reasons"]
    assert not finished.verdict["promote"]
    assert "waits for a person" in finished.verdict["reasons"][0]
    assert "waits for a person" in finished.message
    assert serving(database) == champion
    assert finished.candidate
    registry_service.promote(database, blobs, own.model_cache, finished.candidate)
    assert serving(database) == finished.candidate


def test_wrong_labels_are_not_promoted(
    run: Run, database: Database, blobs: Blobs, champion: str
) -> None:
    first, second = KNOWN
    add_photographs(database, blobs, first, 30, shows=second)
    add_photographs(database, blobs, second, 30, shows=first)
    finished = run()
    assert finished.state == "succeeded", finished.message
    assert "labels" in finished.message
    assert "kept as challenger" in finished.message
    assert finished.verdict
    assert not finished.verdict["passed"]
    assert serving(database) == champion
    assert finished.candidate in known_versions(database)
    with database.reading() as session:
        verdict = registry.get_model(session, str(finished.candidate)).verdict
    assert verdict == finished.verdict


@on_sqlite
def test_custom_classes_replace_the_shipped_ones(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    classes = ["cup", "pen", "saw"]
    for class_name, shows in zip(classes, ("freshapples", "rottenbanana", NEW), strict=True):
        add_photographs(database, blobs, class_name, 40, shows=shows)
    before = serving(database)
    finished = run(classes=classes)
    assert finished.state == "succeeded", finished.message
    # All classes of the champion are lost, so a person has to decide.
    assert serving(database) == before
    assert all(f"the class {name} any more" in finished.message for name in KNOWN)
    promote(database, blobs, own.model_cache, str(finished.candidate))
    assert serving(database) == finished.candidate
    package = store.fetch_package(blobs, str(finished.candidate), own.model_cache)
    assert package.manifest.classes == ("cup", "pen", "saw")
    replay = ReplayBuffer.load(package.folder / REPLAY)
    assert replay.catalog.all()
    assert len(replay.others) > 8


@on_sqlite
def test_unexpected_exception_fails_the_run(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch, champion: str
) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("unexpected")

    monkeypatch.setattr(fast, "make_candidate", fail)
    finished = run()
    assert (finished.state, finished.active) == ("failed", None)
    assert "ZeroDivisionError" in finished.message
    assert known_versions(database) == [champion]


@on_sqlite
def test_missing_package_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ModuleNotFoundError(name="tensorflow")

    monkeypatch.setattr(fast, "make_candidate", fail)
    assert "lacks the package tensorflow" in run().message


@on_sqlite
def test_package_without_disk_space_leaves_nothing_behind(
    run: Run, blobs: Blobs, database: Database, monkeypatch: pytest.MonkeyPatch, champion: str
) -> None:
    add_photographs(database, blobs, NEW, 30)
    put = Blobs.put

    def full(store: Blobs, key: str, data: bytes) -> None:
        if key.startswith("models/") and key.endswith(REPLAY):
            raise OSError(errno.ENOSPC, "No space left on device")
        put(store, key, data)

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "put", full)
        finished = run()
    assert finished.state == "failed"
    assert finished.message.startswith("There is no space left")
    assert "start the run again" in finished.message
    assert store.stored_versions(blobs) == [champion]


@on_sqlite
def test_run_says_that_its_own_disk_failed(
    run: Run, blobs: Blobs, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_photographs(database, blobs, NEW, 30)

    def fail(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("api.storage.blobs.atomic_write", fail)
    finished = run()
    assert finished.state == "failed"
    assert finished.message.startswith("The copies of model versions on this machine")
    assert "STORAGE_URL" not in finished.message


@on_sqlite
def test_run_says_that_the_store_failed(run: Run, blobs: Blobs, database: Database) -> None:
    """A failing store must not make photos count as unreadable."""
    add_photographs(database, blobs, NEW, 30)
    (Path(blobs.url) / "photographs").rename(f"{blobs.url}.away")
    (Path(blobs.url) / "photographs").write_text("in the way")
    finished = run()
    assert finished.state == "failed"
    assert finished.message.startswith("The store of photos and models could not be reached")
    assert "STORAGE_URL" in finished.message
    with database.reading() as session:
        assert session.scalars(select(ImageRow.unreadable)).all() == [None] * 30


@on_sqlite
def test_full_run_gets_whole_boxed_photos_and_says_what_became_of_the_detector(
    run: Run, database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = add_boxed_photo(database, blobs, 2000, *KNOWN)
    boxed: list[Any] = []

    def train(job: Any) -> Any:
        boxed.append([each.row.id for each in job.boxed_photos])
        report = {"plan": "tune", "message": "The detector was trained further."}
        return replace(fast.make_candidate(job), detector=report)

    monkeypatch.setattr(run_process, "_trainer", lambda _: train)
    for mode in ("full", "fast"):
        finished = run(mode)
        assert finished.state == "succeeded", finished.message
        assert "The detector was trained further." in finished.message
        assert finished.verdict
        assert finished.verdict["figures"]["detector"]["plan"] == "tune"
    assert boxed == [[photo], []]


@on_sqlite
@pytest.mark.parametrize("promoter", ["gate", "person"])
def test_new_detector_is_not_lost_with_a_grader_that_is_rejected(
    own: Settings,
    run: Run,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    promoter: str,
) -> None:
    monkeypatch.setattr(own, "promote", promoter)

    def train(job: Any) -> Candidate:
        made = fast.make_candidate(job)
        assert made.comparison
        slower = replace(made.comparison, milliseconds=MetricPair(5.0, 9.0))
        current = TrainedDetector.of_package(job.champion)
        assert current
        report = {"plan": "tune", "objections": [], "message": "It was trained."}
        folder = job.folder / "second"
        package = with_detector(job.champion, current, None, folder, parent="champion")
        fallback = Candidate(folder, package, None, report)
        return replace(made, comparison=slower, detector=report, fallback=fallback)

    monkeypatch.setattr(run_process, "_trainer", lambda _: train)
    finished = run("full")
    assert finished.state == "succeeded", finished.message
    assert finished.verdict
    assert finished.verdict["passed"]
    assert finished.verdict["promote"] == (promoter == "gate")
    assert (serving(database) == finished.candidate) == (promoter == "gate")
    with database.reading() as session:
        [rejected] = session.scalars(
            select(ModelRow).where(ModelRow.version.not_in(["champion", str(finished.candidate)]))
        )
    assert rejected.verdict
    assert not rejected.verdict["passed"]
    assert "slower" in rejected.verdict["reasons"][0]
    assert f"is kept in version {rejected.version}. It is slower" in finished.message


def test_slower_candidate_is_not_promoted(
    run: Run, database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch, champion: str
) -> None:
    """The gate's verdict applies even if training succeeded."""
    add_photographs(database, blobs, NEW, 30)
    compare = fast.compare_with_champion

    def measure_slower(*arguments: Any) -> Any:
        comparison = compare(*arguments)
        return type(comparison)(**{**vars(comparison), "milliseconds": MetricPair(5.0, 9.0)})

    monkeypatch.setattr(fast, "compare_with_champion", measure_slower)
    finished = run()
    assert serving(database) == champion
    assert "slower" in finished.message
