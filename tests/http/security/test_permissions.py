"""The scope that each operation requires, for known and unknown paths."""

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from api.settings import Settings
from tests.http.security.conftest import (
    CHANGE_KEY,
    DATA_KEY,
    MODELS_KEY,
    PREDICT_KEY,
    Serve,
    bearer,
)
from tests.synthetic_images import draw_fruit, encode

OPEN = {"/", "/live", "/ready", "/health"}
GRADING = {"/predict", "/predict/batch", "/insights/augmentation"}
OPERATIONS = [
    (method.upper(), path)
    for path, operations in create_app(Settings()).openapi()["paths"].items()
    for method in operations
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_requires_its_scope(locked: TestClient, method: str, path: str) -> None:
    url = path.replace("{name}", "nothing").replace("{", "").replace("}", "")
    without = locked.request(method, url)
    if path in OPEN:
        assert without.status_code == 200
        return
    assert (without.status_code, without.json()["code"]) == (401, "key-needed")
    assert without.headers["www-authenticate"].startswith("Bearer")
    assert locked.request(method, url, headers=bearer(f"{CHANGE_KEY}x")).status_code == 401
    allowed = method == "GET" or path in GRADING
    with_predict = locked.request(method, url, headers=bearer(PREDICT_KEY))
    if allowed:
        assert with_predict.status_code not in (401, 403)
    else:
        assert (with_predict.status_code, with_predict.json()["code"]) == (403, "scope-too-small")
    if (method, path) != ("POST", "/retrain"):  # It would start a run.
        with_change = locked.request(method, url, headers=bearer(CHANGE_KEY))
        assert with_change.status_code not in (401, 403)


DATA = {
    ("POST", "/upload-training-data"),
    ("POST", "/dataset/images/relabel"),
    ("POST", "/dataset/images/remove"),
    ("POST", "/dataset/removed/restore"),
    ("PATCH", "/dataset/images/{image_id}"),
    ("DELETE", "/dataset/images/{image_id}"),
    ("POST", "/predictions/{prediction_id}/feedback"),
    ("PUT", "/predictions/{prediction_id}/boxes"),
    ("PUT", "/predictions/{prediction_id}/dismissal"),
    ("DELETE", "/predictions/{prediction_id}/dismissal"),
    ("POST", "/upload-boxed-photos"),
    ("PUT", "/dataset/boxed-photos/{photo_id}/boxes"),
    ("DELETE", "/dataset/boxed-photos/{photo_id}"),
    ("POST", "/review-queue"),
    ("POST", "/inspections"),
    ("DELETE", "/inspections/{inspection_id}"),
    ("POST", "/inspections/{inspection_id}/restore"),
    ("POST", "/inspections/{inspection_id}/photos"),
    ("POST", "/inspections/{inspection_id}/photos/{photo_id}/restore"),
    ("PATCH", "/inspections/{inspection_id}/photos/{photo_id}"),
    ("DELETE", "/inspections/{inspection_id}/photos/{photo_id}"),
    ("POST", "/inspections/{inspection_id}/photos/{photo_id}/fruits"),
    ("PUT", "/inspections/{inspection_id}/photos/{photo_id}/fruits/{number}"),
    ("DELETE", "/inspections/{inspection_id}/photos/{photo_id}/fruits/{number}"),
}
MODELS = {
    ("POST", "/retrain"),
    ("POST", "/runs/{run_id}/cancel"),
    ("POST", "/models/{version}/promote"),
    ("POST", "/models/{version}/thresholds"),
    ("PATCH", "/models/{version}"),
    ("POST", "/models/compare"),
    ("POST", "/models/compare/kept"),
    ("POST", "/models/rollback"),
    ("PUT", "/freshness-thresholds"),
    ("DELETE", "/freshness-thresholds"),
    ("PUT", "/models/{version}/thresholds/{fruit}"),
    ("DELETE", "/models/{version}/thresholds/{fruit}"),
    ("PUT", "/models/{version}/shadow"),
    ("DELETE", "/models/{version}/shadow"),
    ("PUT", "/triggers/{name}"),
    ("POST", "/suggestions/{suggestion_id}/accept"),
    ("POST", "/suggestions/{suggestion_id}/dismiss"),
}
CHANGES = [one for one in OPERATIONS if one[0] != "GET" and one[1] not in GRADING]


def test_every_change_is_listed() -> None:
    assert set(CHANGES) == DATA | MODELS


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_data_and_models_keys_may_do_their_own_changes_only(
    locked: TestClient, method: str, path: str
) -> None:
    url = path.replace("{name}", "nothing").replace("{", "").replace("}", "")
    own, other = (DATA_KEY, MODELS_KEY) if (method, path) in DATA else (MODELS_KEY, DATA_KEY)
    scope, setting = ("data", "DATA") if own == DATA_KEY else ("models", "MODELS")
    rejected = locked.request(method, url, headers=bearer(other))
    assert (rejected.status_code, rejected.json()["code"]) == (403, "scope-too-small")
    detail = rejected.json()["detail"]
    assert f"scope '{scope}'" in detail
    assert f"RIPELINE_{setting}_KEYS or RIPELINE_CHANGE_KEYS" in detail
    if (method, path) != ("POST", "/retrain"):
        assert locked.request(method, url, headers=bearer(own)).status_code not in (401, 403)


def test_grading_without_a_record_needs_the_same_key(locked: TestClient) -> None:
    file = {"file": ("frame.jpg", encode(draw_fruit("freshapples"), "JPEG"))}
    frame = "/predict?record=false"
    assert locked.post(frame, files=file).status_code == 401
    assert locked.post(frame, files=file, headers=bearer(PREDICT_KEY)).status_code == 200


@pytest.mark.parametrize("key", [DATA_KEY, MODELS_KEY])
def test_data_and_models_keys_may_grade_and_read(locked: TestClient, key: str) -> None:
    file = {"file": ("apple.jpg", encode(draw_fruit("freshapples"), "JPEG"))}
    assert locked.post("/predict", files=file, headers=bearer(key)).status_code == 200
    assert locked.get("/predictions", headers=bearer(key)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/models/v1"),
        ("POST", "/retrain/"),
        ("POST", "/retrain/now"),
        ("POST", "//retrain"),
        ("POST", "/models/a/b/promote"),
        ("PUT", "/dataset/images/1"),
        ("POST", "/dataset/images/relabel/all"),
        ("PATCH", "/triggers/drift"),
        ("POST", "/suggestions/1/accept/now"),
        ("BREW", "/review-queue"),
    ],
)
def test_unlisted_changes_need_a_change_key(locked: TestClient, method: str, path: str) -> None:
    for key in (DATA_KEY, MODELS_KEY):
        response = locked.request(method, path, headers=bearer(key))
        assert response.status_code == 403, (method, path, key)
        assert "scope 'change'" in response.json()["detail"]
    response = locked.request(method, path, headers=bearer(CHANGE_KEY), follow_redirects=False)
    assert response.status_code in (404, 405, 307)


def test_unknown_paths_and_methods_require_a_key(locked: TestClient) -> None:
    for path in ("/nowhere", "/live/", "/predict/../models", "/LIVE"):
        assert locked.get(path).status_code == 401, path
    assert locked.request("BREW", "/predict", headers=bearer(PREDICT_KEY)).status_code == 405
    assert locked.request("BREW", "/models", headers=bearer(PREDICT_KEY)).status_code == 403


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_documentation_needs_no_key(locked: TestClient, path: str) -> None:
    assert locked.get(path).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {PREDICT_KEY}"},
        {"authorization": f"bearer  {PREDICT_KEY}"},
        {"X-API-Key": PREDICT_KEY},
        # Behind a proxy that has its own password.
        {"Authorization": "Basic cmlwZTpsaW5l", "X-API-Key": PREDICT_KEY},
    ],
)
def test_key_is_accepted_as_bearer_token_or_in_x_api_key(
    locked: TestClient, headers: dict[str, str]
) -> None:
    assert locked.get("/predictions", headers=headers).status_code == 200


def test_predict_key_may_grade(locked: TestClient) -> None:
    file = {"file": ("apple.jpg", encode(draw_fruit("freshapples"), "JPEG"))}
    assert locked.post("/predict", files=file, headers=bearer(PREDICT_KEY)).status_code == 200


def test_with_only_change_keys_grading_is_open_and_history_is_not(serve: Serve) -> None:
    client = serve(change_keys=(SecretStr(CHANGE_KEY),))
    file = {"file": ("apple.jpg", encode(draw_fruit("freshapples"), "JPEG"))}
    assert client.post("/predict", files=file).status_code == 200
    assert client.get("/predictions").status_code == 401
    assert client.post("/models/rollback").status_code == 401


def test_with_only_predict_keys_changes_are_forbidden(serve: Serve) -> None:
    client = serve(predict_keys=(SecretStr(PREDICT_KEY),))
    assert client.post("/models/rollback", headers=bearer(PREDICT_KEY)).status_code == 403


def test_openapi_document_lists_keys_and_their_errors(locked: TestClient) -> None:
    document = locked.get("/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"bearer", "api-key"}
    retrain = document["paths"]["/retrain"]["post"]
    assert {"bearer": ["models"]} in retrain["security"]
    assert {"bearer": ["change"]} in retrain["security"]
    assert {"401", "403", "429"} <= set(retrain["responses"])
    assert "security" not in document["paths"]["/live"]["get"]


PLATFORM = "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwbGF0Zm9ybSJ9.c2lnbmF0dXJl"


def test_key_is_accepted_beside_a_platforms_credentials(locked: TestClient) -> None:
    ours = [("X-API-Key", CHANGE_KEY)]
    for headers in (
        [("Authorization", PLATFORM), *ours],
        [*ours, ("Authorization", PLATFORM)],
        [("Authorization", "Basic YTpi"), *ours],
        [("Authorization", f"Bearer {CHANGE_KEY}"), ("X-API-Key", "of-the-platform")],
        [("Authorization", PLATFORM), ("Authorization", f"Bearer {CHANGE_KEY}")],
        [("Authorization", f"Bearer {PREDICT_KEY}"), *ours],
    ):
        assert locked.post("/models/rollback", headers=headers).status_code == 409, headers
    for headers in (
        [("Authorization", PLATFORM)],
        [("Authorization", PLATFORM), ("X-API-Key", "nothing")],
    ):
        assert locked.post("/models/rollback", headers=headers).status_code == 401
    both = [("Authorization", PLATFORM), ("X-API-Key", PREDICT_KEY)]
    assert locked.post("/models/rollback", headers=both).status_code == 403
    assert locked.post("/models/rollback", headers=bearer(CHANGE_KEY)).status_code == 409
