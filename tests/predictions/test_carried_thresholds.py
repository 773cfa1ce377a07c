"""A version that lacks the thresholds of the one in use says so, and can copy them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.predictions.test_freshness_thresholds import serving
from tests.predictions.test_fruit_thresholds import COSTS, listed, path, saved
from tests.registry.versions import a_servable_package, register_package
from tests.small_grader import VERSION as SMALL

OTHER = "other"
APPLE = {"rotten_below": 0.3, "fresh_from": 0.6, "costs": {"rotten_below": COSTS}}


@pytest.fixture
def client(settings: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """A client of a service with a second version, which is not in use."""
    own = settings.model_copy(update={"state_dir": tmp_path / "state", "inference_threads": 1})
    with serving(own) as client:
        database, blobs = Database(own.database), Blobs(own.storage)
        register_package(database, blobs, a_servable_package(tmp_path, OTHER))
        database.close()
        yield client


def lacks(client: TestClient, version: str) -> tuple[str | None, list[str]]:
    body = client.get(path(version=version)).json()
    return body["compared_with"], body["lacks"]


def copied(client: TestClient, version: str, other: str) -> dict[str, Any]:
    response = client.post(path(version=version), json={"from_version": other})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_missing_thresholds_are_reported_before_and_after_promotion(client: TestClient) -> None:
    assert lacks(client, OTHER) == (SMALL, [])
    assert lacks(client, SMALL) == (None, [])
    saved(client, "apple", **APPLE)
    saved(client, "banana", rotten_below=0.2, fresh_from=0.5)
    assert lacks(client, OTHER) == (SMALL, ["apple", "banana"])

    promotion = client.post(f"/models/{OTHER}/promote").json()
    assert (promotion["replaced"], promotion["lacks_thresholds"]) == (SMALL, ["apple", "banana"])
    # The version in use is compared with the previous one.
    assert lacks(client, OTHER) == (SMALL, ["apple", "banana"])
    assert lacks(client, SMALL) == (OTHER, [])
    assert all(one["set_by"] != "fruit" for one in listed(client, OTHER).values())


def test_thresholds_are_copied_with_their_costs(client: TestClient) -> None:
    saved(client, "apple", **APPLE)
    saved(client, "banana", rotten_below=0.2, fresh_from=0.5)
    own = {"rotten_below": 0.1, "fresh_from": 0.9}
    assert client.put(path("banana", OTHER), json=own).status_code == 200

    answer = copied(client, OTHER, SMALL)

    assert (answer["version"], answer["lacks"]) == (OTHER, [])
    fruits = {one["fruit"]: one for one in answer["fruits"]}
    before = listed(client)
    assert {**fruits["apple"], "changed_at": None} == {**before["apple"], "changed_at": None}
    # Its own thresholds stay, and only existing ones are copied.
    assert (fruits["banana"]["rotten_below"], fruits["banana"]["fresh_from"]) == (0.1, 0.9)
    assert fruits["orange"]["set_by"] != "fruit"
    assert client.post(f"/models/{OTHER}/promote").json()["lacks_thresholds"] == []
    assert copied(client, OTHER, SMALL) == answer


def test_only_stored_versions_have_thresholds(client: TestClient) -> None:
    for version, other in ((OTHER, "unknown"), ("unknown", SMALL)):
        answer = client.post(path(version=version), json={"from_version": other})
        assert answer.status_code == 404
    answer = client.post(path(version=OTHER), json={"from_version": "\0"})
    assert answer.status_code == 422
