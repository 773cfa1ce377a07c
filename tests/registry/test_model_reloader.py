"""What a process serves: the champion, or the best that can be loaded, and never nothing."""

import dataclasses
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.core.freshness_levels import LevelThresholds
from api.model.batcher import DynamicBatcher
from api.model.package import HEAD
from api.predictions import freshness_thresholds as freshness
from api.predictions.recorder import Recorder
from api.predictions.state import AppState
from api.registry import repository
from api.registry.model_reloader import RETRY_SECONDS, ModelReloader
from api.registry.store import complete, remove_package
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.drawing import draw_fruit, encode
from tests.heads import shipped_thresholds
from tests.postgres import fresh_database
from tests.processes import free_port
from tests.registry.versions import SHIPPED, a_servable_package, enter


class Clock:
    """Seconds that pass when the test says so."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"state_dir": tmp_path / "state", "inference_threads": 1})


@pytest.fixture
def state(own: Settings) -> Iterator[AppState]:
    database = Database(own.database)
    with ThreadPoolExecutor(1) as pool:
        blobs = Blobs(own.storage)
        line = DynamicBatcher(pool, 1, 10, 10)
        yield AppState(pool, line, database, blobs, Recorder(database, blobs, False))
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watcher(own: Settings, state: AppState, clock: Clock) -> ModelReloader:
    """Has looked once; its thread does not run."""
    watcher = ModelReloader(own, state, clock)
    watcher.look()
    return watcher


def serving(state: AppState) -> str:
    return state.serving().manifest.version


def promote(state: AppState, version: str) -> None:
    with state.database.session() as session:
        repository.promote(session, version, "manual")


def test_a_new_champion_serves_after_a_look(
    watcher: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    assert serving(state) == SHIPPED
    since = state.champion_since
    enter(state.database, state.blobs, a_servable_package(tmp_path, "b"))
    watcher.look()
    assert serving(state) == SHIPPED
    promote(state, "b")
    watcher.look()
    assert serving(state) == "b"
    assert since is not None
    assert state.champion_since is not None
    assert state.champion_since > since
    state.serving().grade(encode(draw_fruit("freshapples"), "JPEG"))


def test_the_old_grader_serves_whom_it_began_with_and_is_then_freed(
    watcher: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    old = state.serving()
    enter(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    watcher.look()
    assert old.grade(encode(draw_fruit("freshapples"), "JPEG")).class_name
    gone = weakref.ref(old)
    del old
    assert gone() is None


def set_thresholds(state: AppState, thresholds: LevelThresholds) -> None:
    with state.database.session() as session:
        freshness.set_thresholds(session, thresholds.rotten_below, thresholds.fresh_from or 0)


def test_thresholds_are_followed_and_go_on_to_a_new_champion(
    watcher: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    first, chosen = state.serving(), LevelThresholds(0.2, 0.9)
    set_thresholds(state, chosen)
    watcher.look()
    assert state.serving().thresholds == chosen
    # A grading that is under way ends as it began.
    assert first.thresholds == first.own_thresholds == shipped_thresholds()
    same = state.serving()
    watcher.look()
    assert state.serving() is same
    enter(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    watcher.look()
    assert (serving(state), state.serving().thresholds) == ("b", chosen)
    with state.database.session() as session:
        freshness.forget_thresholds(session)
    watcher.look()
    assert state.serving().thresholds == first.own_thresholds


def test_those_of_the_environment_hold_from_the_start(own: Settings, state: AppState) -> None:
    deployed = own.model_copy(update={"rotten_below": 0.2, "fresh_from": 0.8})
    watcher = ModelReloader(deployed, state)
    watcher.look()
    assert state.serving().thresholds == LevelThresholds(0.2, 0.8)
    set_thresholds(state, LevelThresholds(0.4, 0.6))
    watcher.look()
    assert state.serving().thresholds == LevelThresholds(0.4, 0.6)
    with state.database.session() as session:
        freshness.forget_thresholds(session)
    watcher.look()
    assert state.serving().thresholds == LevelThresholds(0.2, 0.8)


def test_the_shipped_package_has_them_too(own: Settings, state: AppState, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("the catalog is away")
    watcher = ModelReloader(own.model_copy(update={"rotten_below": 0.2, "fresh_from": 0.8}), state)
    watcher.start()
    watcher.stop()
    assert state.catalog_problem
    assert state.serving().thresholds == LevelThresholds(0.2, 0.8)


def test_a_damaged_champion_leaves_the_old_one_serving(
    watcher: ModelReloader, state: AppState, clock: Clock, tmp_path: Path
) -> None:
    head = f"models/b/{HEAD}"
    enter(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    whole = state.blobs.get(head)
    state.blobs.put(head, whole[:-1])
    watcher.look()
    assert serving(state) == SHIPPED
    assert "b cannot be loaded" in state.model_problem
    assert HEAD in state.model_problem

    state.blobs.put(head, whole)
    watcher.look()
    assert serving(state) == SHIPPED  # It is tried again after a minute.
    clock.seconds += RETRY_SECONDS
    watcher.look()
    assert serving(state) == "b"
    assert state.model_problem == ""


def test_another_champion_is_tried_at_once(
    watcher: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    enter(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    remove_package(state.blobs, "b")
    watcher.look()
    enter(state.database, state.blobs, a_servable_package(tmp_path, "c"), "gate")
    watcher.look()
    assert serving(state) == "c"
    assert state.model_problem == ""


def test_going_back_from_a_damaged_champion_clears_the_problem(
    watcher: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    enter(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    remove_package(state.blobs, "b")
    watcher.look()
    promote(state, SHIPPED)
    watcher.look()
    assert (serving(state), state.model_problem) == (SHIPPED, "")


def test_the_shipped_version_needs_no_store(
    own: Settings, watcher: ModelReloader, state: AppState
) -> None:
    """Its files lie beside the code, whatever became of the stored ones."""
    remove_package(state.blobs, SHIPPED)
    again = dataclasses.replace(state, runtime=None)
    ModelReloader(own, again).look()
    assert serving(again) == SHIPPED
    assert complete(state.blobs, SHIPPED)  # Stored again at start.


def started(settings: Settings) -> TestClient:
    return TestClient(create_app(settings), raise_server_exceptions=False)


def photograph() -> dict[str, bytes]:
    return {"file": encode(draw_fruit("freshapples"), "JPEG")}


def test_the_champion_serves_after_a_restart(
    own: Settings, watcher: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    enter(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    with started(own) as client:
        assert client.post("/predict", files=photograph()).json()["model_version"] == "b"


def test_a_bad_shipped_package_does_not_stop_the_service(
    own: Settings, watcher: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    enter(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    with started(own.model_copy(update={"model_dir": tmp_path / "nothing"})) as client:
        assert client.post("/predict", files=photograph()).json()["model_version"] == "b"


def test_a_damaged_champion_at_start_leaves_it_to_the_shipped_version(
    own: Settings, watcher: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    enter(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    remove_package(state.blobs, "b")
    with started(own) as client:
        assert client.post("/predict", files=photograph()).json()["model_version"] == SHIPPED
        assert client.get("/models").json()["champion"] == "b"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_without_the_catalog_the_shipped_version_serves(
    own: Settings, tmp_path: Path, kind: str
) -> None:
    """A state folder that cannot be made; a server that is not there."""
    (tmp_path / "state").write_text("in the way")
    url = "" if kind == "sqlite" else f"postgresql://ripeline@127.0.0.1:{free_port()}/none"
    with started(own.model_copy(update={"database_url": url})) as client:
        assert client.get("/ready").status_code == 200
        assert client.post("/predict", files=photograph()).json()["model_version"] == SHIPPED
        answer = client.get("/models")
        assert (answer.status_code, answer.json()["code"]) == (503, "catalog-unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert client.get("/status").json()["training_status"] == "unknown"


def test_a_catalog_that_was_not_opened_yet_is_not_asked(own: Settings) -> None:
    """It may be there again but have no tables."""
    app = create_app(own)
    with TestClient(app, raise_server_exceptions=False) as client:
        app.state.service.catalog_problem = "connection refused"
        assert client.get("/models").json()["code"] == "catalog-unavailable"
        assert client.get("/status").json()["training_status"] == "unknown"


def test_a_catalog_that_comes_later_is_taken_up(
    own: Settings, state: AppState, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_text("in the way")
    watcher = ModelReloader(own, state)
    watcher.look()
    watcher.look()
    assert state.catalog_problem
    assert [record.levelname for record in caplog.records] == ["ERROR"]  # Said once.
    (tmp_path / "state").unlink()
    watcher.look()
    assert state.catalog_problem == ""
    assert serving(state) == SHIPPED


def test_predictions_go_on_while_the_catalog_is_away(own: Settings, postgres: str) -> None:
    address = fresh_database(postgres)
    name = address.rpartition("/")[2].encode()
    with (
        started(own.model_copy(update={"database_url": address})) as client,
        psycopg.connect(postgres, autocommit=True) as server,
    ):
        assert client.get("/models").status_code == 200
        server.execute(b"ALTER DATABASE " + name + b" ALLOW_CONNECTIONS false")
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [name.decode()],
        )
        assert client.post("/models/rollback").status_code == 503
        assert client.post("/predict", files=photograph()).status_code == 200
        server.execute(b"ALTER DATABASE " + name + b" ALLOW_CONNECTIONS true")
        assert client.get("/models").status_code == 200
        assert client.post("/models/rollback").status_code == 409
