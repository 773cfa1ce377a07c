"""`POST /models/compare`: two versions on the same photos, and nothing recorded."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.core.freshness_levels import LevelThresholds
from api.model.package import HEAD
from api.model.predictor import Predictor
from api.registry.model_reloader import load_version
from api.registry.trial import IDLE_SECONDS, MAX_LOADED, TrialModels
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.predictions import PredictionRow
from tests.registry.versions import a_servable_package, a_small_package, register_package
from tests.small_grader import VERSION as SMALL
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import PATIENCE_SECONDS, until

CANDIDATE = "candidate"
KINDS = ("freshapples", "rottenapples", "freshbanana", "rottenbanana", "freshoranges")


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"state_dir": tmp_path / "state", "keep_predicted_days": 0})


@pytest.fixture
def trial(own: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """A service with a second version that grades differently."""
    with TestClient(create_app(own), raise_server_exceptions=False) as client:
        database, blobs = Database(own.database), Blobs(own.storage)
        register_package(database, blobs, a_servable_package(tmp_path, CANDIDATE))
        database.close()
        yield client


@pytest.fixture
def with_unfit(own: Settings, trial: TestClient, tmp_path: Path) -> None:
    """Adds a stored version `unfit`, which cannot grade."""
    database, blobs = Database(own.database), Blobs(own.storage)
    register_package(database, blobs, a_small_package(tmp_path, "unfit"))
    database.close()


def photos(count: int = 12) -> list[tuple[str, tuple[str, bytes]]]:
    drawn = (draw_fruit(KINDS[k % len(KINDS)], k) for k in range(count))
    return [("files", (f"{k}.jpg", encode(image, "JPEG"))) for k, image in enumerate(drawn)]


def compared(client: TestClient, a: str = SMALL, b: str = CANDIDATE, **form: Any) -> dict[str, Any]:
    answer = client.post("/models/compare", params={"a": a, "b": b}, **form)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def same(row: dict[str, Any]) -> bool:
    a, b = row["a"], row["b"]
    if not (a["recognised"] and b["recognised"]):
        return bool(a["recognised"] == b["recognised"])
    return all(a[name] == b[name] for name in ("predicted_class", "freshness_level"))


def test_both_versions_grade_each_photo(trial: TestClient) -> None:
    body = compared(trial, files=photos())
    rows, summary = body["results"], body["summary"]
    assert [row["filename"] for row in rows] == [f"{k}.jpg" for k in range(12)]
    assert [row["same"] for row in rows] == [same(row) for row in rows]
    different = sum(not row["same"] for row in rows)
    assert different
    assert summary == {
        "a": SMALL,
        "b": CANDIDATE,
        "count": 12,
        "same": 12 - different,
        "different": different,
        "failed": 0,
    }


def test_the_grades_are_those_of_predict(trial: TestClient) -> None:
    [file] = photos(1)
    before = compared(trial, files=[file])["results"][0]
    for side, version in (("a", SMALL), ("b", CANDIDATE)):
        if version == CANDIDATE:
            assert trial.post(f"/models/{CANDIDATE}/promote").status_code == 200
            trial.app.state.service.predictor = None  # type: ignore[attr-defined]
        with TestClient(create_app(trial.app.state.settings)) as client:  # type: ignore[attr-defined]
            graded = client.post("/predict", files={"file": file[1]}).json()
        assert graded["model_version"] == version
        assert before[side] == {name: graded[name] for name in before[side]}


def test_nothing_is_recorded_or_counted(trial: TestClient) -> None:
    compared(trial, files=photos(3))
    assert trial.get("/predictions").json()["total"] == 0
    assert trial.get("/model-info").json()["prediction_count"] == 0


def test_the_freshness_thresholds_in_use_hold_for_both(trial: TestClient) -> None:
    def scores_and_levels() -> list[tuple[float, str]]:
        rows = compared(trial, files=photos())["results"]
        grades = [row[side] for side in "ab" for row in rows]
        return [(grade["freshness_score"], grade["freshness_level"]) for grade in grades]

    before = scores_and_levels()
    assert any(level != "fresh" for _, level in before)
    change = {"rotten_below": 0.0001, "fresh_from": 0.0002}
    assert trial.put("/freshness-thresholds", json=change).status_code == 200
    # The version in use gets them last.
    state = trial.app.state.service  # type: ignore[attr-defined]
    until(lambda: state.serving().thresholds == LevelThresholds(**change))
    after = scores_and_levels()
    assert [score for score, _ in after] == [score for score, _ in before]
    assert {level for _, level in after} == {"fresh"}


def test_rows_come_as_lines_and_a_bad_file_fails_alone(trial: TestClient) -> None:
    files = [("files", ("broken.jpg", b"no picture")), *photos(1)]
    answer = trial.post(
        "/models/compare",
        params={"a": SMALL, "b": SMALL},
        files=files,
        headers={"Accept": "application/x-ndjson"},
    )
    bad, good, last = map(json.loads, answer.text.splitlines())
    assert (bad["filename"], bad["error"]["status"]) == ("broken.jpg", 415)
    assert good["same"]
    assert good["a"] == good["b"]
    assert (last["summary"]["failed"], last["summary"]["same"]) == (1, 1)


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [("unheard-of", 404, "unknown-model"), ("unfit", 409, "model-damaged")],
)
def test_a_version_that_cannot_grade_is_refused(
    trial: TestClient, with_unfit: None, version: str, status: int, code: str
) -> None:
    answer = trial.post("/models/compare", params={"a": SMALL, "b": version}, files=photos(1))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_few_versions_stay_loaded_and_only_while_they_are_used(
    trial: TestClient, own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    now = [0.0]

    def load(settings: Settings, blobs: Blobs, version: str) -> Predictor:
        loaded.append(version)
        return load_version(settings, blobs, CANDIDATE)

    monkeypatch.setattr("api.registry.trial.load_version", load)
    models = TrialModels(own, trial.app.state.service, lambda: now[0])  # type: ignore[attr-defined]
    for version in ("a", "b", "a", "b"):
        models.get(version)
    assert loaded == ["a", "b"]
    assert MAX_LOADED == 2
    models.get("c")
    models.get("b")
    assert loaded == ["a", "b", "c"]
    now[0] = IDLE_SECONDS - 1
    models.release_idle()
    models.get("b")
    assert loaded == ["a", "b", "c"]
    now[0] += IDLE_SECONDS
    models.release_idle()
    models.get("b")
    assert loaded == ["a", "b", "c", "b"]


def test_files_damaged_on_disk_are_reported(own: Settings, trial: TestClient) -> None:
    stored = next((own.state_dir / "blobs").rglob(f"{CANDIDATE}/{HEAD}"))
    stored.write_bytes(b"damaged")
    answer = trial.post("/models/compare", params={"a": SMALL, "b": CANDIDATE}, files=photos(1))
    assert (answer.status_code, answer.json()["code"]) == (409, "model-damaged")


def test_kept_photos_are_graded_by_both_the_newest_first(own: Settings, tmp_path: Path) -> None:
    keeping = own.model_copy(update={"keep_predicted_days": 30})
    with TestClient(create_app(keeping), raise_server_exceptions=False) as client:
        database, blobs = Database(own.database), Blobs(own.storage)
        register_package(database, blobs, a_servable_package(tmp_path, CANDIDATE))
        sent = [client.post("/predict", files={"file": one}).json() for _, one in photos(4)]
        assert client.app.state.service.recorder.flush(PATIENCE_SECONDS)  # type: ignore[attr-defined]
        dismissed, *shown = [one["prediction_id"] for one in sent]
        assert client.put(f"/predictions/{dismissed}/dismissal").status_code == 204
        with database.session() as session:
            old = session.get(PredictionRow, shown.pop(0))
            assert old
            old.created_at = now() - timedelta(days=3)
        database.close()
        versions = {"a": SMALL, "b": CANDIDATE}
        answer = client.post("/models/compare/kept", params=versions | {"days": "2"})
        rows = answer.json()["results"]
        assert [row["prediction_id"] for row in rows] == shown[::-1]
        assert [row["same"] for row in rows] == [same(row) for row in rows]
        newest = client.post("/models/compare/kept", params=versions | {"limit": "1"})
        assert newest.json()["summary"]["count"] == 1
        keys = list(blobs.keys("predicted"))  # As many as there were batches of records.
        for key in keys:
            blobs.delete(key)
        missing = client.post("/models/compare/kept", params=versions).json()
        for key in keys:
            (Path(own.storage) / key).mkdir()
        unreadable = client.post("/models/compare/kept", params=versions).json()
        for gone in (missing, unreadable):
            assert {row["error"]["code"] for row in gone["results"]} == {"photograph-gone"}
            assert gone["summary"]["failed"] == 3
        assert client.get("/predictions").json()["total"] == 4
