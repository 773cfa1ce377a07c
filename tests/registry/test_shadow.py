"""Shadow grading counts correctly, is bounded, and does not delay the version in use."""

import gc
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.model.predictor import Predictor
from api.predictions.state import AppState
from api.registry import shadow
from api.registry.model_reloader import load_version
from api.registry.shadow_repository import Agreement
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.shadows import ShadowRow
from tests.registry.test_trial import CANDIDATE, compared, photos
from tests.registry.versions import a_servable_package, a_small_package, register_package
from tests.small_grader import VERSION as SMALL
from tests.small_grader import write_small_grader
from tests.waiting import PATIENCE_SECONDS, until

OTHER = "other"
SHADOW = f"/models/{CANDIDATE}/shadow"


@pytest.fixture
def own(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("api.app.SHADOW_SECONDS", 0.05)
    return settings.model_copy(update={"state_dir": tmp_path / "state"})


@pytest.fixture
def service(own: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """A service with a version that grades differently, one that grades the same, and an unfit
    one."""
    with TestClient(create_app(own), raise_server_exceptions=False) as client:
        database, blobs = Database(own.database), Blobs(own.storage)
        register_package(database, blobs, a_servable_package(tmp_path, CANDIDATE))
        register_package(database, blobs, write_small_grader(tmp_path / OTHER, OTHER))
        register_package(database, blobs, a_small_package(tmp_path, "unfit"))
        database.close()
        yield client


def state_of(client: TestClient) -> AppState:
    state: AppState = client.app.state.service  # type: ignore[attr-defined]
    return state


def start(client: TestClient, version: str = CANDIDATE, **body: Any) -> None:
    answer = client.put(f"/models/{version}/shadow", json={"share": 1, "photos": 1000} | body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "running"
    until(lambda: state_of(client).shadow)


def found(client: TestClient, version: str = CANDIDATE) -> dict[str, Any]:
    body: dict[str, Any] = client.get(f"/models/{version}/shadow").json()
    return body


def predict(client: TestClient, count: int = 12) -> list[dict[str, Any]]:
    answers = [client.post("/predict", files={"file": one}) for _, one in photos(count)]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json() for answer in answers]


def is_graded(client: TestClient, count: int, version: str = CANDIDATE) -> bool:
    seen = found(client, version)
    return bool(seen["graded"] + seen["failed"] == count)


def test_agreement_and_differences_are_counted_right(service: TestClient) -> None:
    """The same model with another rotten threshold, with which half of the photos change level."""
    line = {"rotten_below": 0.125, "fresh_from": 0.5}
    assert service.put(f"/models/{OTHER}/thresholds/apple", json=line).status_code == 200
    until(lambda: state_of(service).fruit_thresholds)
    expected = compared(service, b=OTHER, files=photos())
    start(service, OTHER)
    answers = predict(service)
    until(lambda: is_graded(service, 12, OTHER))
    seen = found(service, OTHER)
    summary = expected["summary"]
    assert 0 < summary["different"] < 12
    assert (seen["same"], seen["different"]) == (summary["same"], summary["different"])
    assert seen["agreement"] == seen["same"] / 12
    assert 0 < seen["low"] < seen["agreement"] < seen["high"] < 1
    by_answers: dict[tuple[Any, ...], list[str]] = {}
    for row, answer in zip(expected["results"], answers, strict=True):
        if not row["same"]:
            key = tuple(said(row[side]) for side in "ab")
            by_answers.setdefault(key, []).append(answer["prediction_id"])
    until(lambda: service.get("/predictions").json()["total"] == 12)
    rows = found(service, OTHER)["differences"]
    listed = {
        tuple(
            (one["predicted_class"], one["freshness_level"])
            for one in (row["in_use"], row["shadow"])
        ): row
        for row in rows
    }
    assert {key: row["count"] for key, row in listed.items()} == {
        key: len(ids) for key, ids in by_answers.items()
    }
    for key, row in listed.items():
        assert row["examples"]
        assert set(row["examples"]) <= set(by_answers[key])
        image = service.get(f"/predictions/{row['examples'][0]}/photograph")
        assert image.status_code == 200


def said(grade: dict[str, Any]) -> tuple[str | None, str | None]:
    if not grade["recognised"]:
        return None, None
    return grade["predicted_class"], grade["freshness_level"]


def test_unrecorded_and_extended_requests_are_left_out(service: TestClient) -> None:
    start(service)
    [(_, file)] = photos(1)
    known = service.post("/predict", files={"file": file}).json()["prediction_id"]
    for query in ("record=false", f"explain=true&prediction_id={known}"):
        assert service.post(f"/predict?{query}", files={"file": file}).status_code == 200
    assert service.post("/predict/batch", files=photos(2)).status_code == 200
    predict(service, 2)
    until(lambda: is_graded(service, 3))


def test_an_error_in_the_shadow_does_not_reach_the_caller(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(settings: Settings, blobs: Blobs, version: str) -> Predictor:
        broken = load_version(settings, blobs, version)

        def fail(data: bytes, explain: bool = False) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr(broken, "predict", fail)
        return broken

    monkeypatch.setattr(shadow, "load_version", load)
    start(service)
    assert {answer["model_version"] for answer in predict(service, 3)} == {SMALL}
    until(lambda: is_graded(service, 3))
    seen = found(service)
    assert (seen["failed"], seen["graded"], seen["agreement"]) == (3, 0, None)


def test_a_version_that_cannot_be_loaded_leaves_the_service_as_it_is(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = Event()

    def load(settings: Settings, blobs: Blobs, version: str) -> Predictor:
        tried.set()
        raise OSError("the bucket is away")

    monkeypatch.setattr(shadow, "load_version", load)
    assert service.put(SHADOW, json={}).status_code == 200
    assert tried.wait(PATIENCE_SECONDS)
    predict(service, 1)
    assert state_of(service).shadow is None
    assert found(service)["graded"] == 0


def test_it_ends_after_its_last_photo_and_frees_the_model(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[weakref.ref[Predictor]] = []

    def load(settings: Settings, blobs: Blobs, version: str) -> Predictor:
        predictor = load_version(settings, blobs, version)
        loaded.append(weakref.ref(predictor._backbone))  # type: ignore[arg-type]
        return predictor

    monkeypatch.setattr(shadow, "load_version", load)
    start(service, photos=5.0)
    [model] = loaded
    assert model() is not None
    predict(service, 12)
    until(lambda: found(service)["state"] == "complete")
    assert found(service)["graded"] == 5
    until(lambda: state_of(service).shadow is None)
    gc.collect()
    until(lambda: model() is None)


def test_stopping_frees_the_model_and_keeps_the_counts(service: TestClient) -> None:
    start(service)
    predict(service, 3)
    until(lambda: is_graded(service, 3))
    assert service.delete(SHADOW).json()["state"] == "stopped"
    until(lambda: state_of(service).shadow is None)
    predict(service, 2)
    seen = found(service)
    assert (seen["graded"], seen["state"]) == (3, "stopped")
    assert service.delete(SHADOW).json() == seen
    start(service)
    assert found(service)["graded"] == 0


def test_all_services_on_one_catalog_follow(service: TestClient, own: Settings) -> None:
    with ExitStack() as stack:
        second = stack.enter_context(TestClient(create_app(own)))
        start(service)
        until(lambda: state_of(second).shadow)
        predict(service, 3)
        predict(second, 4)
        until(lambda: is_graded(service, 7))
        assert found(second) == found(service)
        assert second.delete(SHADOW).status_code == 200
        until(lambda: state_of(service).shadow is None and state_of(second).shadow is None)


def test_promoting_any_version_ends_it(service: TestClient) -> None:
    start(service)
    assert service.post(f"/models/{OTHER}/promote").status_code == 200
    assert found(service)["state"] == "replaced"
    until(lambda: state_of(service).shadow is None)


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [
        ("unheard-of", 404, "unknown-model"),
        ("unfit", 409, "model-damaged"),
        (SMALL, 409, "in-use"),
        (OTHER, 409, "other-shadow"),
    ],
)
def test_version_that_cannot_grade_in_shadow_is_refused(
    service: TestClient, version: str, status: int, code: str
) -> None:
    start(service)
    answer = service.put(f"/models/{version}/shadow", json={})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert found(service)["state"] == "running"


@pytest.mark.parametrize(
    "body",
    [{"share": 0}, {"share": 1.1}, {"photos": 0}, {"photos": 1.5}, {"photos": True}, {"days": 1}],
)
def test_share_and_number_of_photos_are_required(service: TestClient, body: dict[str, Any]) -> None:
    assert service.put(SHADOW, json=body).status_code == 422
    assert found(service)["state"] == "off"


@pytest.mark.parametrize(
    ("same", "different", "below"), [(0, 0, False), (95, 5, False), (8, 2, False), (70, 30, True)]
)
def test_too_little_agreement_is_found_only_with_evidence(
    same: int, different: int, below: bool
) -> None:
    agreement = Agreement.of(ShadowRow(same=same, different=different), 0.9)
    assert agreement.below_min is below
    assert agreement.share == (same / (same + different) if same else None)
