"""Freshness thresholds: reading and setting them, and an unavailable catalog."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from api.app import create_app
from api.core.freshness_levels import LevelThresholds
from api.predictions import freshness_thresholds
from api.settings import Settings
from api.storage.db import Database
from tests.small_grader import FRESH_FROM, ROTTEN_BELOW
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until

PATH = "/freshness-thresholds"
MODEL = {"rotten_below": ROTTEN_BELOW, "fresh_from": FRESH_FROM}
# Every score lies between these.
USER = {"rotten_below": 1e-9, "fresh_from": 1 - 1e-9}


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"state_dir": tmp_path / "state", "inference_threads": 1})


@contextmanager
def serving(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(own: Settings) -> Iterator[TestClient]:
    with serving(own) as client:
        yield client


@pytest.fixture(scope="module")
def shared_client(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """A client for tests that change nothing."""
    state = tmp_path_factory.mktemp("state")
    with serving(settings.model_copy(update={"state_dir": state})) as client:
        yield client


def current(client: TestClient) -> dict[str, Any]:
    response = client.get(PATH)
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


def level(client: TestClient) -> str:
    photo = encode(draw_fruit("freshbanana"), "JPEG")
    response = client.post("/predict", files={"file": ("a.jpg", photo)})
    freshness_level: str = response.json()["freshness_level"]
    return freshness_level


def test_user_overrides_the_models_thresholds(client: TestClient) -> None:
    assert current(client) == {**MODEL, "set_by": "model", "model": MODEL}
    response = client.put(PATH, json=USER)
    assert response.status_code == 200
    assert response.json() == current(client) == {**USER, "set_by": "user", "model": MODEL}
    response = client.delete(PATH)
    assert response.status_code == 200
    assert response.json() == current(client) == {**MODEL, "set_by": "model", "model": MODEL}
    assert client.delete(PATH).status_code == 200


@pytest.mark.slow
def test_new_thresholds_reach_every_process(client: TestClient, own: Settings) -> None:
    with serving(own) as other:
        before = level(other)
        for low, high, expected in (
            (1e-9, 1 - 1e-9, "past_best"),
            (1e-9, 1e-9, "fresh"),
            (1 - 1e-9, 1 - 1e-9, "rotten"),
        ):
            client.put(PATH, json={"rotten_below": low, "fresh_from": high})
            until(lambda wanted=expected: level(other) == level(client) == wanted)  # type: ignore[misc]
        client.delete(PATH)
        until(lambda: level(other) == level(client) == before)


def test_thresholds_survive_a_restart(own: Settings) -> None:
    with serving(own) as client:
        client.put(PATH, json=USER)
    with serving(own) as client:
        assert level(client) == "past_best"


@pytest.mark.parametrize(
    "body",
    [
        {"rotten_below": 0, "fresh_from": 0.5},
        {"rotten_below": 0.5, "fresh_from": 1},
        {"rotten_below": 0.5},
        {"rotten_below": 0.5, "fresh_from": None},
        {"rotten_below": "0.5", "fresh_from": 0.6},
        {"rotten_below": True, "fresh_from": 0.6},
        {"rotten_below": 0.5, "fresh_from": 0.6, "more": 1},
        [],
    ],
)
def test_invalid_thresholds_are_rejected(shared_client: TestClient, body: Any) -> None:
    response = shared_client.put(PATH, json=body)
    assert response.status_code == 422
    assert current(shared_client)["set_by"] == "model"


def test_rotten_below_must_not_exceed_fresh_from(client: TestClient) -> None:
    response = client.put(PATH, json={"rotten_below": 0.6, "fresh_from": 0.5})
    assert (response.status_code, response.json()["code"]) == (409, "bad-thresholds")
    assert "must not be above" in response.json()["detail"]
    assert client.put(PATH, content=b'{"rotten_below": NaN, "fresh_from": 1}').status_code == 422
    assert current(client)["set_by"] == "model"
    assert client.put(PATH, json={"rotten_below": 0.5, "fresh_from": 0.5}).status_code == 200


def test_precedence_is_user_environment_model(own: Settings) -> None:
    deployed = own.model_copy(update={"rotten_below": 0.2, "fresh_from": 0.8})
    with serving(deployed) as client:
        environment = {
            "rotten_below": 0.2,
            "fresh_from": 0.8,
            "set_by": "environment",
            "model": MODEL,
        }
        assert current(client) == environment
        assert client.put(PATH, json=USER).json()["set_by"] == "user"
        assert client.delete(PATH).json() == environment


def test_last_known_thresholds_are_used_while_the_catalog_is_unavailable(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.put(PATH, json=USER)
    until(lambda: level(client) == "past_best")

    def unavailable(_database: Database) -> None:
        raise OperationalError("", None, Exception("unavailable"))

    monkeypatch.setattr(Database, "reading", unavailable)
    monkeypatch.setattr(Database, "session", unavailable)
    assert current(client) == {**USER, "set_by": "user", "model": MODEL}
    assert level(client) == "past_best"
    assert client.put(PATH, json=USER).status_code == 503
    assert client.delete(PATH).status_code == 503


def test_without_a_model_thresholds_are_unavailable(own: Settings, tmp_path: Path) -> None:
    with serving(own.model_copy(update={"model_dir": tmp_path / "none"})) as client:
        for response in (client.get(PATH), client.put(PATH, json=USER), client.delete(PATH)):
            assert (response.status_code, response.json()["code"]) == (503, "model-unavailable")
    with serving(own) as client:
        assert current(client)["set_by"] == "model"


def test_stored_thresholds_are_replaced_and_cleared(database: Database) -> None:
    def stored() -> LevelThresholds | None:
        with database.reading() as session:
            return freshness_thresholds.user_thresholds(session)

    assert stored() is None
    for pair in (LevelThresholds(0.3, 0.7), LevelThresholds(0.4, 0.4)):
        with database.session() as session:
            freshness_thresholds.set_thresholds(session, pair.rotten_below, pair.fresh_from or 0)
        assert stored() == pair
    for _ in range(2):
        with database.session() as session:
            freshness_thresholds.clear_thresholds(session)
        assert stored() is None
