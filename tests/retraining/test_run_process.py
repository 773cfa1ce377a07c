"""A run from its row to its verdict, with the default backbone and few photos."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.core.paired_comparison import MetricPair
from api.model.package import REPLAY, load_package
from api.model.predictor import Predictor
from api.model.replay_buffer import ReplayBuffer
from api.registry import repository as registry
from api.registry import store
from api.retraining import fast, repository, run_process, service
from api.retraining.plan import catalog_diff
from api.retraining.progress import RunAbortedError
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables import ModelRow, RunRow
from tests.retraining.catalog import KNOWN, NEW, add_photographs, install_champion, picture
from tests.synthetic_images import encode

pytestmark = pytest.mark.slow

Run = Callable[..., RunRow]
# Where the kind of database makes no difference.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def untracked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_process, "_track", lambda *_: None)


@pytest.fixture
def own(settings: Settings, database: Database, tmp_path: Path) -> Settings:
    update = {"state_dir": tmp_path / "state", "database_url": database.url}
    return settings.model_copy(update=update)


@pytest.fixture
def champion(database: Database, blobs: Blobs, tmp_path: Path) -> str:
    return install_champion(database, blobs, tmp_path)


@pytest.fixture
def run(own: Settings, database: Database, blobs: Blobs, champion: str) -> Run:
    """Executes a run; returns its final row."""

    def go(**options: Any) -> RunRow:
        with database.session() as session:
            started = service.create_run(session, mode="fast", started_by="me", options=options)
            repository.claim(session, started.id)
        run_process.execute_run(own, database, blobs, started.id)
        with database.reading() as session:
            return service.get(session, started.id)

    return go


def serving(database: Database) -> str | None:
    with database.reading() as session:
        return registry.champion(session)


def known_versions(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(ModelRow.version)))


def test_a_new_class_is_learned_and_promoted(
    run: Run, own: Settings, database: Database, blobs: Blobs, champion: str
) -> None:
    added = add_photographs(database, blobs, NEW, 60)
    ended = run()
    assert ended.state == "succeeded", ended.message
    assert ended.verdict is not None
    assert ended.verdict["promote"], ended.verdict["reasons"]
    assert serving(database) == ended.candidate != champion
    folder = store.fetch_package(blobs, str(ended.candidate), own.model_cache).folder
    package = load_package(folder)
    manifest = package.manifest
    assert manifest.classes == (*KNOWN, NEW)
    assert (manifest.parent, manifest.started_by) == (champion, "me")
    assert manifest.recipe["mode"] == "fast"
    assert manifest.metrics["test_by_photograph"]["accuracy"] > 0.9
    grader = Predictor.of_package(package)
    graded = [grader.predict(encode(picture(NEW, seed))) for seed in range(5000, 5030)]
    assert sum(grade.class_name == NEW for grade in graded) >= 27
    replay = ReplayBuffer.load(folder / REPLAY)
    assert set(replay.sha256[replay.catalog]) == set(added)
    assert len(replay.others) == 8
    assert set(replay.splits[replay.view_of]) == {"train"}
    assert len(replay.views) == 2 * (replay.catalog & (replay.splits == "train")).sum()
    with database.reading() as session:
        assert not catalog_diff(repository.labels(session), folder).any


def test_wrong_labels_are_not_promoted(
    run: Run, database: Database, blobs: Blobs, champion: str
) -> None:
    first, second = KNOWN
    add_photographs(database, blobs, first, 30, shows=second)
    add_photographs(database, blobs, second, 30, shows=first)
    ended = run()
    assert ended.state == "succeeded", ended.message
    assert "labels" in ended.message
    assert "kept as challenger" in ended.message
    assert serving(database) == champion
    assert ended.candidate in known_versions(database)
    with database.reading() as session:
        verdict = registry.get_model(session, str(ended.candidate)).verdict
    assert verdict == ended.verdict


@on_sqlite
def test_custom_classes_replace_the_shipped_ones(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    classes = ["cup", "pen", "saw"]
    for class_name, shows in zip(classes, ("freshapples", "rottenbanana", NEW), strict=True):
        add_photographs(database, blobs, class_name, 40, shows=shows)
    ended = run(classes=classes)
    assert ended.state == "succeeded", ended.message
    assert serving(database) == ended.candidate
    package = store.fetch_package(blobs, str(ended.candidate), own.model_cache)
    assert package.manifest.classes == ("cup", "pen", "saw")
    replay = ReplayBuffer.load(package.folder / REPLAY)
    assert replay.catalog.all()
    assert len(replay.others) > 8


@on_sqlite
def test_too_few_photos_fail_with_a_message(
    run: Run, database: Database, blobs: Blobs, champion: str
) -> None:
    add_photographs(database, blobs, NEW, 5)
    ended = run()
    assert ended.state == "failed"
    assert f"{NEW} (5): each class needs at least 8" in ended.message
    assert known_versions(database) == [champion]


@on_sqlite
def test_a_photo_deleted_meanwhile_is_left_out(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    add_photographs(database, blobs, NEW, 30)
    first = next(iter(blobs.keys("photographs")))
    blobs.delete(first)
    ended = run()
    assert ended.state == "succeeded", ended.message
    folder = store.fetch_package(blobs, str(ended.candidate), own.model_cache).folder
    replay = ReplayBuffer.load(folder / REPLAY)
    assert replay.catalog.sum() == 29


@on_sqlite
def test_an_unexpected_exception_fails_the_run(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch, champion: str
) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr(fast, "make_candidate", fail)
    ended = run()
    assert (ended.state, ended.active) == ("failed", None)
    assert "ZeroDivisionError" in ended.message
    assert known_versions(database) == [champion]


@on_sqlite
def test_a_missing_package_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ModuleNotFoundError(name="tensorflow")

    monkeypatch.setattr(fast, "make_candidate", fail)
    assert "lacks the package tensorflow" in run().message


def test_not_promoted_if_the_champion_has_changed(
    run: Run, database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_photographs(database, blobs, NEW, 40)
    first = run()
    add_photographs(database, blobs, NEW, 20, first=7000)
    make = fast.make_candidate

    def slowly(job: Any) -> Any:
        candidate = make(job)
        # Another version is promoted meanwhile.
        with database.session() as session:
            registry.promote(session, "champion", "manual")
        return candidate

    monkeypatch.setattr(fast, "make_candidate", slowly)
    second = run()
    assert serving(database) == "champion"
    assert first.candidate != second.candidate
    assert "Another version was promoted" in second.message


def test_an_aborted_run_registers_nothing(
    run: Run, database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch, champion: str
) -> None:
    add_photographs(database, blobs, NEW, 30)
    put = store.store_package

    def slowly(blobs: Blobs, folder: Path) -> Any:
        with database.session() as session:
            (run,) = session.scalars(select(RunRow))
            service.end(run, "interrupted", "Silent for too long.")
        return put(blobs, folder)

    # At the last moment, after the package is stored.
    monkeypatch.setattr(store, "store_package", slowly)
    with pytest.raises(RunAbortedError):
        run()
    assert known_versions(database) == [champion]
    assert serving(database) == champion


@on_sqlite
def test_a_slower_candidate_is_not_promoted(
    run: Run, database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch, champion: str
) -> None:
    """The verdict is the gate's, whatever made the candidate."""
    add_photographs(database, blobs, NEW, 30)
    compare = fast.compare_with_champion

    def slower(*arguments: Any) -> Any:
        found = compare(*arguments)
        return type(found)(**{**vars(found), "milliseconds": MetricPair(5.0, 9.0)})

    monkeypatch.setattr(fast, "compare_with_champion", slower)
    ended = run()
    assert serving(database) == champion
    assert "slower" in ended.message
