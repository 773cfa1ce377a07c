"""Inspections grade each fruit with its own thresholds, and say which these were."""

from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from api.settings import Settings
from tests.inspections.crates import add, get, opened, photo, serving
from tests.small_grader import FRESH_FROM, ROTTEN_BELOW, VERSION
from tests.waiting import until

# Every score is above both, so everything is fresh.
ALWAYS = {"rotten_below": 1e-9, "fresh_from": 1e-9}


def used(client: TestClient) -> Any:
    answer = client.post("/predict", files={"file": photo(0)}).json()
    return answer.get("freshness_thresholds")


def test_fruits_are_graded_by_their_own_thresholds(settings: Settings, tmp_path: Path) -> None:
    with serving(settings.model_copy(update={"state_dir": tmp_path / "state"})) as client:
        inspection = opened(client)
        first = add(client, inspection, photo(1))["added"][0]["fruits"]
        assert {fruit["freshness_thresholds"] for fruit in first} == {None}
        assert {fruit["freshness_level"] for fruit in first} != {"fresh"}
        own = {"rotten_below": ROTTEN_BELOW, "fresh_from": FRESH_FROM}
        classes = {fruit["predicted_class"] for fruit in first}
        kinds = {
            kind for kind in ("apple", "banana", "orange") if any(kind in name for name in classes)
        }
        for kind in kinds:
            path = f"/models/{VERSION}/thresholds/{kind}"
            assert client.put(path, json=ALWAYS).status_code == 200
        # The service may follow after each of them.
        state = client.app.state.service  # type: ignore[attr-defined]
        until(lambda: set(state.serving().fruit_thresholds) == kinds)
        assert used(client) == ALWAYS
        second = add(client, inspection, photo(2))["added"][0]["fruits"]
        known = [fruit for fruit in second if fruit["predicted_class"] in classes]
        assert known
        assert {fruit["freshness_level"] for fruit in known} == {"fresh"}
        assert all(fruit["freshness_thresholds"] == ALWAYS for fruit in known)
        rest = [fruit for fruit in second if fruit["predicted_class"] not in classes]
        assert all(fruit["freshness_thresholds"] in (ALWAYS, own) for fruit in rest)
        # Earlier photos keep their grades, and say which thresholds were used.
        listed = get(client, f"/inspections/{inspection}/fruits", limit=100)["fruits"]
        thresholds = [fruit["freshness_thresholds"] for fruit in listed]
        assert thresholds.count(None) == len(first)
        assert thresholds.count(ALWAYS) >= len(known)
