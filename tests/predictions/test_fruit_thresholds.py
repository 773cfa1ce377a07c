"""Thresholds of single fruits: saving them with a version, and grading with them."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api.core.freshness_levels import LevelThresholds
from api.predictions import fruit_thresholds
from api.predictions.fruit_thresholds import FruitThresholdsChange, LevelCosts, LineCosts
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.predictions.test_freshness_thresholds import MODEL, serving
from tests.registry.versions import a_servable_package, a_small_package, register_package
from tests.small_grader import VERSION as SMALL
from tests.synthetic_images import encode
from tests.waiting import until

# Every score lies between these.
WIDE = {"rotten_below": 1e-9, "fresh_from": 1 - 1e-9}
COSTS = {"let_through": 5.0, "refused": 1.0, "worse_share": 0.1}
FRUITS = ("apple", "banana", "orange")


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"state_dir": tmp_path / "state", "inference_threads": 1})


@pytest.fixture
def client(own: Settings) -> Iterator[TestClient]:
    with serving(own) as client:
        yield client


def path(fruit: str = "", version: str = SMALL) -> str:
    return f"/models/{version}/thresholds" + (f"/{fruit}" if fruit else "")


def listed(client: TestClient, version: str = SMALL) -> dict[str, dict[str, Any]]:
    response = client.get(path(version=version))
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["version"] == version
    return {one["fruit"]: one for one in body["fruits"]}


def saved(client: TestClient, fruit: str, **change: Any) -> dict[str, Any]:
    response = client.put(path(fruit), json=change)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def photos() -> Iterator[bytes]:
    """Plain colours, which are all that the small grader sees."""
    for colour in itertools.product((0, 128, 255), repeat=3):
        yield encode(Image.new("RGB", (64, 64), colour), "JPEG")


def predict(client: TestClient, photo: bytes) -> dict[str, Any]:
    body: dict[str, Any] = client.post("/predict", files={"file": ("a.jpg", photo)}).json()
    return body


@pytest.fixture(scope="module")
def by_fruit(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A photo of each fruit as the small grader sees it."""
    state = tmp_path_factory.mktemp("state")
    found: dict[str, bytes] = {}
    with serving(settings.model_copy(update={"state_dir": state})) as client:
        for photo in photos():
            found.setdefault(predict(client, photo)["fruit"], photo)
    assert len(found) >= 2
    return found


def test_fruit_gets_its_own_and_loses_them(client: TestClient) -> None:
    before = listed(client)
    assert list(before) == list(FRUITS)
    for one in before.values():
        assert one == {
            **MODEL,
            "fruit": one["fruit"],
            "set_by": "model",
            "costs": None,
            "changed_at": None,
        }
    costs = {"rotten_below": COSTS, "fresh_from": None}
    change = {"rotten_below": 0.4, "fresh_from": 0.9, "costs": costs}
    answer = saved(client, "apple", **change)
    assert {name: answer[name] for name in change} == change
    assert answer["set_by"] == "fruit"
    after = listed(client)
    assert after == {**before, "apple": answer}
    assert client.delete(path("apple")).json() == before["apple"]
    assert client.delete(path("apple")).status_code == 200
    assert listed(client) == before


def test_fruits_without_their_own_follow_the_shared_ones(client: TestClient) -> None:
    saved(client, "apple", rotten_below=0.4, fresh_from=0.9)
    client.put("/freshness-thresholds", json={"rotten_below": 0.1, "fresh_from": 0.2})
    fruits = listed(client)
    assert (fruits["apple"]["rotten_below"], fruits["apple"]["set_by"]) == (0.4, "fruit")
    assert (fruits["banana"]["rotten_below"], fruits["banana"]["set_by"]) == (0.1, "user")
    answer = client.delete(path("apple")).json()
    assert (answer["rotten_below"], answer["set_by"]) == (0.1, "user")
    assert client.get(path()).json()["others"] == client.get("/freshness-thresholds").json()


@pytest.mark.parametrize(
    "body",
    [
        {"rotten_below": 0, "fresh_from": 0.5},
        {"rotten_below": 0.5, "fresh_from": 1},
        {"rotten_below": 0.5},
        {"rotten_below": 0.5, "fresh_from": None},
        {"rotten_below": "0.5", "fresh_from": 0.6},
        {"rotten_below": 0.5, "fresh_from": 0.6, "more": 1},
        {"rotten_below": 0.5, "fresh_from": 0.6, "costs": {"rotten_below": {"let_through": 0}}},
        {"rotten_below": 0.5, "fresh_from": 0.6, "costs": {"rotten_below": {"refused": 1e7}}},
        {"rotten_below": 0.5, "fresh_from": 0.6, "costs": {"fresh_from": {"worse_share": 1}}},
        {"rotten_below": 0.5, "fresh_from": 0.6, "costs": {"other": COSTS}},
        [],
    ],
    ids=str,
)
def test_invalid_thresholds_are_rejected(client: TestClient, body: Any) -> None:
    response = client.put(path("apple"), json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid-request")
    assert listed(client)["apple"]["set_by"] == "model"


def test_unknown_fruits_and_versions_have_no_thresholds(client: TestClient) -> None:
    body = {"rotten_below": 0.4, "fresh_from": 0.6}
    for fruit in ("kiwi", "freshapples", "a%00b", "x" * 200):
        for answer in (client.put(path(fruit), json=body), client.delete(path(fruit))):
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown-fruit")
            assert "apple, banana, orange" in answer.json()["detail"]
    for answer in (
        client.get(path(version="unheard-of")),
        client.put(path("apple", "unheard-of"), json=body),
        client.delete(path("apple", "unheard-of")),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-model")
    crossed = client.put(path("apple"), json={"rotten_below": 0.6, "fresh_from": 0.5})
    assert (crossed.status_code, crossed.json()["code"]) == (409, "bad-thresholds")
    assert {one["set_by"] for one in listed(client).values()} == {"model"}


@pytest.mark.slow
def test_every_process_grades_the_fruit_by_them(
    client: TestClient, own: Settings, by_fruit: dict[str, bytes]
) -> None:
    (fruit, photo), (_, other_photo) = list(by_fruit.items())[:2]
    with serving(own) as second:
        before, other = predict(second, photo), predict(second, other_photo)
        assert "freshness_thresholds" not in before
        for low, high, level in (
            (1e-9, 1 - 1e-9, "past_best"),
            (1e-9, 1e-9, "fresh"),
            (1 - 1e-9, 1 - 1e-9, "rotten"),
        ):
            saved(client, fruit, rotten_below=low, fresh_from=high)
            used = {"rotten_below": low, "fresh_from": high}

            def followed(wanted: str = level, used: dict[str, float] = used) -> bool:
                answers = [predict(process, photo) for process in (client, second)]
                return all(
                    one["freshness_level"] == wanted and one.get("freshness_thresholds") == used
                    for one in answers
                )

            assert until(followed)
            answer = predict(second, other_photo)
            assert answer["freshness_level"] == other["freshness_level"]
            assert answer["freshness_thresholds"] == MODEL
        client.delete(path(fruit))
        assert until(lambda: "freshness_thresholds" not in predict(second, photo))
        assert predict(second, photo)["freshness_level"] == before["freshness_level"]


def test_they_survive_a_restart_and_are_in_the_history(
    own: Settings, by_fruit: dict[str, bytes]
) -> None:
    fruit, photo = next(iter(by_fruit.items()))
    with serving(own) as client:
        plain = predict(client, photo)["prediction_id"]
        saved(client, fruit, **WIDE)
    with serving(own) as client:
        answer = predict(client, photo)
        assert (answer["freshness_level"], answer["freshness_thresholds"]) == ("past_best", WIDE)
        batch = client.post("/predict/batch", files=[("files", ("a.jpg", photo))]).json()
        assert batch["results"][0]["freshness_thresholds"] == WIDE
        assert client.get(f"/predictions/{plain}").json()["freshness_thresholds"] is None
        kept = client.get(f"/predictions/{answer['prediction_id']}").json()
        assert kept["freshness_thresholds"] == WIDE


def test_thresholds_belong_to_their_version(
    own: Settings, client: TestClient, by_fruit: dict[str, bytes], tmp_path: Path
) -> None:
    """A new version begins with its own thresholds; after a rollback the old one's apply again."""
    fruit, photo = next(iter(by_fruit.items()))
    saved(client, fruit, **WIDE)
    until(lambda: "freshness_thresholds" in predict(client, photo))
    database, blobs = Database(own.database), Blobs(own.storage)
    register_package(database, blobs, a_servable_package(tmp_path, "other"))
    database.close()
    tried = client.post(
        f"/models/compare?a={SMALL}&b=other", files=[("files", ("a.jpg", photo))]
    ).json()["results"][0]
    assert tried["a"]["freshness_thresholds"] == WIDE
    assert "freshness_thresholds" not in tried["b"]
    assert client.post("/models/other/promote").status_code == 200
    until(lambda: predict(client, photo)["model_version"] == "other")
    assert "freshness_thresholds" not in predict(client, photo)
    client.post("/models/rollback")
    assert until(lambda: predict(client, photo).get("freshness_thresholds") == WIDE)


def test_stored_ones_are_replaced_and_forgotten(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    def stored() -> dict[str, dict[str, LevelThresholds]]:
        with database.reading() as session:
            return fruit_thresholds.thresholds_by_version(session)

    def last(line: fruit_thresholds.Line) -> LineCosts | None:
        with database.reading() as session:
            return fruit_thresholds.last_costs(session, "apple", line)

    for version in ("a", "b"):
        register_package(database, blobs, a_small_package(tmp_path, version))
    costs = LineCosts(let_through=5, refused=1)
    assert (stored(), last("rotten_below")) == ({}, None)
    for version, low, chosen in (
        ("a", 0.2, LevelCosts(rotten_below=costs)),
        ("b", 0.3, None),
        ("b", 0.4, LevelCosts(fresh_from=costs)),
    ):
        change = FruitThresholdsChange(rotten_below=low, fresh_from=0.5, costs=chosen)
        with database.session() as session:
            fruit_thresholds.save(session, version, "apple", change)
    assert stored() == {
        "a": {"apple": LevelThresholds(0.2, 0.5)},
        "b": {"apple": LevelThresholds(0.4, 0.5)},
    }
    # For a new version, the costs default to those given before.
    assert (last("rotten_below"), last("fresh_from")) == (costs, costs)
    with database.session() as session:
        fruit_thresholds.forget(session, "b", "apple")
    assert stored() == {"a": {"apple": LevelThresholds(0.2, 0.5)}}
    assert last("fresh_from") is None
