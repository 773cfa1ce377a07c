"""The model that a process serves: the champion, or the best one that can be loaded."""

import asyncio
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
from api.registry.store import delete_package, is_stored
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.postgres import fresh_database
from tests.processes import free_port
from tests.registry.versions import a_servable_package, register_package
from tests.small_grader import FRESH_FROM, ROTTEN_BELOW
from tests.small_grader import VERSION as SMALL
from tests.synthetic_images import draw_fruit, encode


class Clock:
    """A clock that the test advances."""

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
        batcher = DynamicBatcher(pool, 1, 10, 10)
        yield AppState(
            pool, batcher, database, blobs, Recorder(database, blobs, False), asyncio.Semaphore()
        )
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reloader(own: Settings, state: AppState, clock: Clock) -> ModelReloader:
    """A reloader that has polled once."""
    reloader = ModelReloader(own, state, clock)
    reloader.poll()
    return reloader


def serving(state: AppState) -> str:
    return state.serving().manifest.version


def promote(state: AppState, version: str) -> None:
    with state.database.session() as session:
        repository.promote(session, version, "manual")


def test_new_champion_serves_after_a_poll(
    reloader: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    assert serving(state) == SMALL
    since = state.champion_since
    register_package(state.database, state.blobs, a_servable_package(tmp_path, "b"))
    reloader.poll()
    assert serving(state) == SMALL
    promote(state, "b")
    reloader.poll()
    assert serving(state) == "b"
    assert since is not None
    assert state.champion_since is not None
    assert state.champion_since > since
    state.serving().predict(encode(draw_fruit("freshapples"), "JPEG"))


def test_old_model_finishes_its_requests_and_is_freed(
    reloader: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    old = state.serving()
    register_package(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    reloader.poll()
    assert old.predict(encode(draw_fruit("freshapples"), "JPEG")).class_name
    reference = weakref.ref(old)
    del old
    assert reference() is None


def set_thresholds(state: AppState, thresholds: LevelThresholds) -> None:
    with state.database.session() as session:
        freshness.set_thresholds(session, thresholds.rotten_below, thresholds.fresh_from or 0)


def test_thresholds_are_followed_and_kept_for_a_new_champion(
    reloader: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    first, thresholds = state.serving(), LevelThresholds(0.2, 0.9)
    set_thresholds(state, thresholds)
    reloader.poll()
    assert state.serving().thresholds == thresholds
    # Requests in progress keep their thresholds.
    assert first.thresholds == first.own_thresholds
    assert first.thresholds == LevelThresholds(ROTTEN_BELOW, FRESH_FROM)
    same = state.serving()
    reloader.poll()
    assert state.serving() is same
    register_package(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    reloader.poll()
    assert (serving(state), state.serving().thresholds) == ("b", thresholds)
    with state.database.session() as session:
        freshness.clear_thresholds(session)
    reloader.poll()
    assert state.serving().thresholds == first.own_thresholds


def test_environment_thresholds_are_overridden_by_the_users(own: Settings, state: AppState) -> None:
    deployed = own.model_copy(update={"rotten_below": 0.2, "fresh_from": 0.8})
    reloader = ModelReloader(deployed, state)
    reloader.poll()
    assert state.serving().thresholds == LevelThresholds(0.2, 0.8)
    set_thresholds(state, LevelThresholds(0.4, 0.6))
    reloader.poll()
    assert state.serving().thresholds == LevelThresholds(0.4, 0.6)
    with state.database.session() as session:
        freshness.clear_thresholds(session)
    reloader.poll()
    assert state.serving().thresholds == LevelThresholds(0.2, 0.8)


def test_thresholds_apply_to_the_shipped_package(
    own: Settings, state: AppState, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("in the way")
    reloader = ModelReloader(own.model_copy(update={"rotten_below": 0.2, "fresh_from": 0.8}), state)
    reloader.start()
    assert state.catalog_problem
    assert state.serving().thresholds == LevelThresholds(0.2, 0.8)


def test_damaged_champion_leaves_the_old_one_serving(
    reloader: ModelReloader, state: AppState, clock: Clock, tmp_path: Path
) -> None:
    head = f"models/b/{HEAD}"
    register_package(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    intact = state.blobs.get(head)
    state.blobs.put(head, intact[:-1])
    reloader.poll()
    assert serving(state) == SMALL
    assert "b cannot be loaded" in state.model_problem
    assert HEAD in state.model_problem

    state.blobs.put(head, intact)
    reloader.poll()
    assert serving(state) == SMALL  # Retried after a minute.
    clock.seconds += RETRY_SECONDS
    reloader.poll()
    assert serving(state) == "b"
    assert state.model_problem == ""


def test_another_champion_is_loaded_immediately(
    reloader: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    register_package(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    delete_package(state.blobs, "b")
    reloader.poll()
    register_package(state.database, state.blobs, a_servable_package(tmp_path, "c"), "gate")
    reloader.poll()
    assert serving(state) == "c"
    assert state.model_problem == ""


def test_replacing_a_damaged_champion_clears_the_problem(
    reloader: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    register_package(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    delete_package(state.blobs, "b")
    reloader.poll()
    promote(state, SMALL)
    reloader.poll()
    assert (serving(state), state.model_problem) == (SMALL, "")


def test_shipped_version_serves_without_its_stored_package(
    own: Settings, reloader: ModelReloader, state: AppState
) -> None:
    """Its files are part of the project, so the stored copy may be deleted."""
    delete_package(state.blobs, SMALL)
    restarted = dataclasses.replace(state, predictor=None)
    ModelReloader(own, restarted).poll()
    assert serving(restarted) == SMALL
    assert is_stored(state.blobs, SMALL)  # Stored again at startup.


def running_service(settings: Settings) -> TestClient:
    return TestClient(create_app(settings), raise_server_exceptions=False)


def photo() -> dict[str, bytes]:
    return {"file": encode(draw_fruit("freshapples"), "JPEG")}


def test_champion_serves_after_a_restart(
    own: Settings, reloader: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    register_package(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    with running_service(own) as client:
        assert client.post("/predict", files=photo()).json()["model_version"] == "b"


def test_bad_shipped_package_does_not_stop_the_service(
    own: Settings, reloader: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    register_package(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    with running_service(own.model_copy(update={"model_dir": tmp_path / "nothing"})) as client:
        assert client.post("/predict", files=photo()).json()["model_version"] == "b"


def test_shipped_version_serves_if_the_champion_is_damaged(
    own: Settings, reloader: ModelReloader, state: AppState, tmp_path: Path
) -> None:
    register_package(state.database, state.blobs, a_servable_package(tmp_path, "b"), "gate")
    delete_package(state.blobs, "b")
    with running_service(own) as client:
        assert client.post("/predict", files=photo()).json()["model_version"] == SMALL
        assert client.get("/models").json()["champion"] == "b"


@pytest.mark.slow  # Five seconds.
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_shipped_version_serves_without_the_catalog(
    own: Settings, tmp_path: Path, kind: str
) -> None:
    """The state folder cannot be created, or the server does not exist."""
    (tmp_path / "state").write_text("in the way")
    url = "" if kind == "sqlite" else f"postgresql://ripeline@127.0.0.1:{free_port()}/none"
    with running_service(own.model_copy(update={"database_url": url})) as client:
        assert client.get("/ready").status_code == 200
        assert client.post("/predict", files=photo()).json()["model_version"] == SMALL
        response = client.get("/models")
        assert (response.status_code, response.json()["code"]) == (503, "catalog-unavailable")
        assert int(response.headers["retry-after"]) > 0
        assert client.get("/status").json()["training_status"] == "unknown"


def test_catalog_is_not_queried_until_it_is_opened(own: Settings) -> None:
    """It may be available again but have no tables yet."""
    app = create_app(own)
    with TestClient(app, raise_server_exceptions=False) as client:
        app.state.service.catalog_problem = "connection refused"
        assert client.get("/models").json()["code"] == "catalog-unavailable"
        assert client.get("/status").json()["training_status"] == "unknown"


def test_catalog_is_opened_once_available(
    own: Settings, state: AppState, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_text("in the way")
    reloader = ModelReloader(own, state)
    reloader.poll()
    reloader.poll()
    assert state.catalog_problem
    assert [record.levelname for record in caplog.records] == ["ERROR"]  # Logged once.
    (tmp_path / "state").unlink()
    (tmp_path / "state" / "catalog.db").mkdir(parents=True)
    reloader.poll()
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 2  # A new error.
    (tmp_path / "state" / "catalog.db").rmdir()
    reloader.poll()
    assert "The catalog is followed again." in caplog.messages
    assert state.catalog_problem == ""
    assert serving(state) == SMALL


def test_predictions_continue_without_the_catalog(own: Settings, postgres: str) -> None:
    address = fresh_database(postgres)
    name = address.rpartition("/")[2].encode()
    with (
        running_service(own.model_copy(update={"database_url": address})) as client,
        psycopg.connect(postgres, autocommit=True) as server,
    ):
        assert client.get("/models").status_code == 200
        server.execute(b"ALTER DATABASE " + name + b" ALLOW_CONNECTIONS false")
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [name.decode()],
        )
        assert client.post("/models/rollback").status_code == 503
        assert client.post("/predict", files=photo()).status_code == 200
        server.execute(b"ALTER DATABASE " + name + b" ALLOW_CONNECTIONS true")
        assert client.get("/models").status_code == 200
        assert client.post("/models/rollback").status_code == 409
