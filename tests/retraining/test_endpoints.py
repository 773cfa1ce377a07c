"""Retraining over HTTP without a worker, on both databases."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.core.splits import split_of
from api.retraining import repository, run_watcher, service
from api.retraining.detector_plan import fingerprint, load_learnable
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.models import ModelRow, RunRow
from tests.retraining.catalog import KNOWN, NEW, add_photographs, write_champion
from tests.retraining.test_boxed_fruits import add_boxed_photo
from tests.waiting import until

FORCE = {"force": True}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_champion(tmp_path_factory.mktemp("models"))


@pytest.fixture
def own(settings: Settings, database: Database, package: Path, tmp_path: Path) -> Settings:
    return settings.model_copy(
        update={
            "state_dir": tmp_path / "state",
            "database_url": database.url,
            "storage_url": str(tmp_path / "blobs"),
            "model_dir": package,
        }
    )


@pytest.fixture
def client(own: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(own), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def shared_client(
    settings: Settings,
    shared_database_url: str,
    package: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[TestClient]:
    """A client for tests that change nothing."""
    state = tmp_path_factory.mktemp("state")
    update = {"state_dir": state, "database_url": shared_database_url, "model_dir": package}
    app = create_app(settings.model_copy(update=update))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def problem(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    detail: str = response.json()["detail"]
    return detail


def test_run_is_queued_and_shown(client: TestClient) -> None:
    assert client.get("/retraining-status").json()["is_retraining"] is False
    assert client.get("/training-status").json() == {
        "is_training": False,
        "progress": 0.0,
        "message": "No retraining yet.",
    }
    response = client.post("/retrain", json=FORCE)
    assert response.status_code == 202
    body = response.json()
    assert body["status"] == "queued"
    assert set(body) == {"message", "status", "run_id", "timestamp"}
    status = client.get("/retraining-status").json()
    assert (status["is_retraining"], status["run_id"]) == (True, body["run_id"])
    assert status["verdict"] is None
    assert client.get("/training-status").json()["is_training"] is True
    run = client.get(f"/runs/{body['run_id']}").json()
    assert (run["mode"], run["state"], run["started_by"]) == ("fast", "queued", "manual")
    listed = client.get("/runs").json()
    assert (listed["total"], listed["runs"]) == (1, [run])


def test_second_run_is_rejected_until_the_first_is_cancelled(client: TestClient) -> None:
    run_id = client.post("/retrain", json=FORCE).json()["run_id"]
    assert run_id in problem(client.post("/retrain", json=FORCE), 409)
    cancelled = client.post(f"/runs/{run_id}/cancel")
    assert cancelled.status_code == 202
    assert cancelled.json()["state"] == "cancelled"
    assert "nothing to cancel" in problem(client.post(f"/runs/{run_id}/cancel"), 409)
    assert client.post("/retrain", json=FORCE).status_code == 202


@pytest.mark.parametrize("body", [None, {}, {"mode": "fast"}])
def test_run_without_new_photos_is_rejected(
    shared_client: TestClient, body: dict[str, str] | None
) -> None:
    assert "force" in problem(shared_client.post("/retrain", json=body), 409)
    assert shared_client.get("/runs").json()["total"] == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"mode": "slow"}, "'fast', 'full' or 'detector'"),
        ({"mode": "full", "architecture": "alexnet"}, "efficientnet_lite0"),
        ({"mode": "full", "epochs": 0}, "greater than or equal to 1"),
        ({"mode": "full", "epochs": 10_000}, "less than or equal to 200"),
        ({"epochs": 3}, '"mode": "full"'),
        ({"detector": "keep"}, '"mode": "full"'),
        ({"mode": "full", "detector": "none"}, "'auto', 'keep' or 'train'"),
        ({"mode": "detector", "detector": "keep"}, "nothing to do"),
        ({"mode": "detector", "epochs": 3}, "concern the grader"),
        ({"mode": "detector", "architecture": "mobilenet_v2"}, "concern the grader"),
        ({"mode": "detector", "classes": [*KNOWN]}, "concern the grader"),
        ({"classes": ["apple"]}, "at least 2"),
        ({"classes": ["cup", "!!"]}, "letter or digit"),
        ({"speed": 3}, "speed"),
        ([], "body"),
    ],
)
def test_invalid_requests_are_rejected(shared_client: TestClient, body: Any, message: str) -> None:
    assert message in problem(shared_client.post("/retrain", json=body), 422)
    assert shared_client.get("/runs").json()["total"] == 0


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["cup", "pen"], "There are some of: freshapples, freshbanana"),
        (["freshapples", "Fresh apples", "freshapples"], "no photos of fresh_"),
        (["freshapples", "freshapples"], "at least two classes"),
    ],
)
def test_unknown_and_too_few_classes_are_rejected(
    shared_client: TestClient, classes: list[str], message: str
) -> None:
    assert message in problem(shared_client.post("/retrain", json={"classes": classes}), 409)
    assert shared_client.get("/runs").json()["total"] == 0


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("fresh\u200bapples", 409, "invisible-character"),
        ("not_fruit", 422, "bad-class-name"),
        ("---", 422, "bad-class-name"),
    ],
)
def test_unusable_class_name_is_named_as_everywhere(
    shared_client: TestClient, name: str, status: int, code: str
) -> None:
    response = shared_client.post("/retrain", json={"classes": ["freshbanana", name]})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert shared_client.get("/runs").json()["total"] == 0


def test_estimate_counts_new_photos_by_class(
    client: TestClient, database: Database, own: Settings
) -> None:
    before = client.get("/retrain/estimate").json()
    assert (before["champion"], before["new"], before["photographs"]) == ("champion", 0, 80)
    add_photographs(database, Blobs(own.storage), NEW, 9)
    add_photographs(database, Blobs(own.storage), KNOWN[0], 2)
    after = client.get("/retrain/estimate").json()
    assert after["new_by_class"] == {NEW: 9, KNOWN[0]: 2}
    assert after["photographs"] == 91
    assert 0 < after["fast_seconds"] < after["full_seconds"]
    assert client.post("/retrain").status_code == 202


@pytest.mark.slow
def test_stray_photo_of_a_new_class_is_named_and_starts_no_run(
    client: TestClient, database: Database, own: Settings
) -> None:
    add_photographs(database, Blobs(own.storage), NEW, 1)
    estimate = client.get("/retrain/estimate").json()
    assert (estimate["new"], estimate["left_out"]) == (0, {NEW: 1})
    assert f"{NEW} (1)" in problem(client.post("/retrain"), 409)
    body = {"classes": [*KNOWN, NEW]}
    assert f"{NEW} (1)" in problem(client.post("/retrain", json=body), 409)
    assert client.post("/retrain", json=FORCE).status_code == 202


def test_estimate_and_options_of_a_run_that_trains_the_detector(
    client: TestClient, database: Database, blobs: Blobs
) -> None:
    before = client.get("/retrain/estimate").json()
    seed = next(seed for seed in range(99) if split_of(f"scene/{seed}") == "train")
    add_boxed_photo(database, blobs, seed, None)
    after = client.get("/retrain/estimate").json()
    assert (before["boxed_photos"], after["boxed_photos"]) == (0, 1)
    assert after["full_seconds"] > before["full_seconds"]
    assert (after["new"], after["fast_seconds"]) == (0, before["fast_seconds"])
    assert after["detector_seconds"] == before["detector_seconds"] < after["full_seconds"]
    for mode, option, stored in (
        ("full", "auto", {}),
        ("full", "keep", {"detector": "keep"}),
        ("detector", "auto", {}),
        ("detector", "train", {"detector": "train"}),
    ):
        body = {"mode": mode, "detector": option}
        run_id = client.post("/retrain", json=body).json()["run_id"]
        run = client.post(f"/runs/{run_id}/cancel").json()
        assert (run["mode"], run["options"]) == (mode, stored)


def test_run_of_the_detector_needs_boxed_photos_that_it_has_not_learned(
    client: TestClient, database: Database, blobs: Blobs
) -> None:
    body: dict[str, Any] = {"mode": "detector"}
    add_photographs(database, blobs, KNOWN[0], 2)
    for force in ({}, FORCE):
        answer = client.post("/retrain", json=body | force)
        assert "upload-boxed-photos" in problem(answer, 409)
        assert answer.json()["code"] == "no-boxed-photos"
    seed = next(seed for seed in range(99) if split_of(f"scene/{seed}") == "train")
    add_boxed_photo(database, blobs, seed, None)
    with database.session() as session:
        row = session.get_one(ModelRow, "champion")
        detector = row.manifest["detector"]
        learned = fingerprint(load_learnable(session, 10**6))
        assert learned
        row.manifest = row.manifest | {"detector": detector | {"catalog": learned.model_dump()}}
    answer = client.post("/retrain", json=body)
    assert "has already learned all photos with boxes" in problem(answer, 409)
    assert client.get("/retrain/estimate").json()["boxed_photos"] == 0
    run_id = client.post("/retrain", json=body | FORCE).json()["run_id"]
    client.post(f"/runs/{run_id}/cancel")

    with database.session() as session:
        row = session.get_one(ModelRow, "champion")
        row.manifest = row.manifest | {"detector": None}
    assert "half an hour" in problem(client.post("/retrain", json=body | FORCE), 409)
    estimate = client.get("/retrain/estimate").json()
    assert estimate["detector_seconds"] > estimate["fast_seconds"]
    assert client.post("/retrain", json=body | {"detector": "train"}).status_code == 202


def test_estimate_is_corrected_by_the_last_run(client: TestClient, database: Database) -> None:
    expected = client.get("/retrain/estimate").json()["fast_seconds"]
    started = now()
    with database.session() as session:
        run = service.create_run(session, mode="fast", started_by="manual", options={})
        run.started_at, run.finished_at = started, started + timedelta(seconds=expected * 3)
        run.state, run.active, run.candidate = "succeeded", None, "champion"
    corrected = client.get("/retrain/estimate").json()["fast_seconds"]
    assert corrected == pytest.approx(expected * 3, rel=0.05)


@pytest.mark.parametrize("path", ["/runs/none", f"/runs/{'0' * 32}", "/runs/%00"])
def test_unknown_run_gets_404(shared_client: TestClient, path: str) -> None:
    assert "GET /runs" in problem(shared_client.get(path), 404)


def test_run_without_heartbeat_is_interrupted(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if there is no worker to notice it."""
    run_id = client.post("/retrain", json=FORCE).json()["run_id"]
    with database.session() as session:
        repository.claim(session, run_id)
    assert client.get("/retraining-status").json()["is_retraining"]
    monkeypatch.setattr(run_watcher, "LOST_SECONDS", 0.0)
    until(lambda: not client.get("/retraining-status").json()["is_retraining"])
    assert client.get(f"/runs/{run_id}").json()["state"] == "interrupted"
    assert client.post("/retrain", json=FORCE).status_code == 202


@pytest.mark.parametrize("days", [-400, 400])
def test_wall_clock_does_not_end_a_run(client: TestClient, database: Database, days: int) -> None:
    """As if the clock had been set since, or the computer had slept."""
    run_id = client.post("/retrain", json=FORCE).json()["run_id"]
    with database.session() as session:
        repository.claim(session, run_id)
        run = session.get_one(RunRow, run_id)
        run.created_at = run.started_at = run.heartbeat_at = now() + timedelta(days=days)
    assert client.get("/retraining-status").json()["state"] == "running"
    assert run_id in problem(client.post("/retrain", json=FORCE), 409)
    assert client.post(f"/runs/{run_id}/cancel").json()["state"] == "running"


def test_status_of_an_unclaimed_run_says_what_to_do_if_no_worker_is_running(
    client: TestClient, database: Database
) -> None:
    run_id = client.post("/retrain", json=FORCE).json()["run_id"]
    with database.session() as session:
        session.get_one(RunRow, run_id).created_at = now() - timedelta(minutes=1)
    message = client.get("/retraining-status").json()["message"]
    assert message.startswith("Waiting. If no worker is running, start it")
