"""What each path asks for: every path that there is, and those that there may be."""

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from api.settings import Settings
from tests.http.security.conftest import CHANGE_KEY, PREDICT_KEY, Serve, bearer
from tests.synthetic_images import draw_fruit, encode

OPEN = {"/", "/live", "/ready", "/health"}
GRADING = {"/predict", "/predict/batch", "/insights/augmentation"}
OPERATIONS = [
    (method.upper(), path)
    for path, operations in create_app(Settings()).openapi()["paths"].items()
    for method in operations
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_asks_for_its_scope(locked: TestClient, method: str, path: str) -> None:
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
    if (method, path) != ("POST", "/retrain"):  # It would begin.
        with_change = locked.request(method, url, headers=bearer(CHANGE_KEY))
        assert with_change.status_code not in (401, 403)


def test_what_there_is_not_is_closed(locked: TestClient) -> None:
    for path in ("/nowhere", "/live/", "/predict/../models", "/LIVE"):
        assert locked.get(path).status_code == 401, path
    assert locked.request("BREW", "/predict", headers=bearer(PREDICT_KEY)).status_code == 405
    assert locked.request("BREW", "/models", headers=bearer(PREDICT_KEY)).status_code == 403


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_the_documentation_is_open(locked: TestClient, path: str) -> None:
    assert locked.get(path).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {PREDICT_KEY}"},
        {"authorization": f"bearer  {PREDICT_KEY}"},
        {"X-API-Key": PREDICT_KEY},
        # As where a proxy asks for a password of its own.
        {"Authorization": "Basic cmlwZTpsaW5l", "X-API-Key": PREDICT_KEY},
    ],
)
def test_a_key_comes_as_a_token_or_in_its_own_header(
    locked: TestClient, headers: dict[str, str]
) -> None:
    assert locked.get("/predictions", headers=headers).status_code == 200


def test_a_key_grades(locked: TestClient) -> None:
    file = {"file": ("apple.jpg", encode(draw_fruit("freshapples"), "JPEG"))}
    assert locked.post("/predict", files=file, headers=bearer(PREDICT_KEY)).status_code == 200


def test_keys_that_may_change_leave_grading_open_and_close_what_was_graded(serve: Serve) -> None:
    client = serve(change_keys=(SecretStr(CHANGE_KEY),))
    file = {"file": ("apple.jpg", encode(draw_fruit("freshapples"), "JPEG"))}
    assert client.post("/predict", files=file).status_code == 200
    assert client.get("/predictions").status_code == 401
    assert client.post("/models/rollback").status_code == 401


def test_with_keys_that_only_predict_nobody_changes_anything(serve: Serve) -> None:
    client = serve(predict_keys=(SecretStr(PREDICT_KEY),))
    assert client.post("/models/rollback", headers=bearer(PREDICT_KEY)).status_code == 403


def test_the_description_names_keys_and_refusals(locked: TestClient) -> None:
    document = locked.get("/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"bearer", "api-key"}
    retrain = document["paths"]["/retrain"]["post"]
    assert {"bearer": ["change"]} in retrain["security"]
    assert {"401", "403", "429"} <= set(retrain["responses"])
    assert "security" not in document["paths"]["/live"]["get"]
