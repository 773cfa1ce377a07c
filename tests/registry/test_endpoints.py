"""`/models` over HTTP on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.exc import OperationalError

from api.app import create_app
from api.model.package import HEAD
from api.registry import service
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.registry.versions import SHIPPED, a_servable_package, a_small_package, register_package
from tests.small_grader import VERSION as SMALL


@pytest.fixture
def own(settings: Settings, database: Database, tmp_path: Path) -> Settings:
    """Settings with a separate catalog."""
    return settings.model_copy(update={"state_dir": tmp_path, "database_url": database.url})


@pytest.fixture
def blobs(own: Settings) -> Blobs:
    return Blobs(own.storage)


@pytest.fixture
def own_client(own: Settings) -> Iterator[TestClient]:
    """A client of a service with its own catalog."""
    with TestClient(create_app(own), raise_server_exceptions=False) as client:
        yield client


def assert_problem(response: Response, status: int, code: str) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["detail"].endswith(".")


def statuses(client: TestClient) -> dict[str, str]:
    return {row["version"]: row["status"] for row in client.get("/models").json()["models"]}


def test_shipped_version_is_listed(own_client: TestClient) -> None:
    body = own_client.get("/models").json()
    assert body["champion"] == SMALL
    (row,) = body["models"]
    assert (row["status"], row["origin"]) == ("champion", "shipped")
    assert row["metrics"]["macro_f1"] > 0.9
    assert "not seen in training" in row["metrics"]["split"]
    assert row["data"]["photographs"] > 0
    assert row["recipe"]["architecture"] == "efficientnet_lite0"
    assert len(row["classes"]) == 6
    assert row["verdict"] is None


def test_models_are_listed_with_every_status(
    own_client: TestClient, database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    for version in "abcd":
        promoted = version in "ac"
        register_package(
            database, blobs, a_small_package(tmp_path, version), "gate" if promoted else None
        )
    service.prune(database, blobs, keep=1)
    assert statuses(own_client) == {
        "d": "challenger",
        "c": "champion",
        "b": "pruned",
        "a": "retired",
        SMALL: "pruned",
    }


def test_version_has_its_manifest_and_verdict(client: TestClient) -> None:
    body = client.get(f"/models/{SHIPPED}").json()
    assert body["manifest"]["version"] == body["version"] == SHIPPED
    assert body["manifest"]["files"]
    assert body["verdict"] is None


def test_a_version_has_a_name_and_a_note(own_client: TestClient) -> None:
    path = f"/models/{SMALL}"
    assert own_client.get(path).json()["name"] == own_client.get(path).json()["note"] == ""
    written = own_client.patch(
        path, json={"name": " Summer\x00 apples ", "note": "a \n\u2028b\x07"}
    )
    assert written.status_code == 200, written.text
    assert written.json()["name"] == "Summer apples"
    assert own_client.patch(path, json={}).json() == written.json()
    renamed = own_client.patch(path, json={"name": ""}).json()
    assert (renamed["name"], renamed["note"]) == ("", "a\n\nb")
    assert own_client.get("/models").json()["models"][0]["note"] == "a\n\nb"


@pytest.mark.parametrize(
    "body",
    [{"name": "x" * 61}, {"note": "x" * 2001}, {"name": 5}, [], "a"],
    ids=["long-name", "long-note", "number", "list", "text"],
)
def test_a_bad_name_changes_nothing(own_client: TestClient, body: object) -> None:
    path = f"/models/{SMALL}"
    own_client.patch(path, json={"name": "before"})
    refused = own_client.patch(path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-request")
    assert own_client.get(path).json()["name"] == "before"


def test_an_unknown_version_gets_no_name(own_client: TestClient) -> None:
    assert_problem(own_client.patch("/models/none", json={"name": "a"}), 404, "unknown-model")


def test_two_versions_are_compared(
    own_client: TestClient, database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    register_package(database, blobs, a_servable_package(tmp_path, "b"))
    body = own_client.get("/models/compare", params={"a": SMALL, "b": "b"}).json()
    assert (body["a"]["status"], body["b"]["status"]) == ("champion", "challenger")
    assert body["same_data"] is True
    assert {row["name"]: row["difference"] for row in body["figures"]}["macro_f1"] == 0
    assert len(body["per_class"]) == 6


def test_unknown_version_gets_404(own_client: TestClient) -> None:
    for version in ("none", "%00", "..%2f..%2fetc", "%ed%a0%80", "a%20b"):
        for response in (
            own_client.get(f"/models/{version}"),
            own_client.get(f"/models/compare?a={SMALL}&b={version}"),
            own_client.post(f"/models/{version}/promote"),
        ):
            assert response.status_code == 404
            assert response.headers["content-type"] == "application/problem+json"
        response = own_client.get(f"/models/compare?a={version}&b={SMALL}")
        assert_problem(response, 404, "unknown-model")


def test_compare_needs_two_versions(client: TestClient) -> None:
    response = client.get("/models/compare", params={"a": SHIPPED})
    assert (response.status_code, response.json()["code"]) == (422, "invalid-request")


@pytest.mark.parametrize("path", ["/models", "/models/history"])
def test_lists_are_bounded(client: TestClient, path: str) -> None:
    for limit in ("0", "1001", "x"):
        assert client.get(path, params={"limit": limit}).status_code == 422


@pytest.mark.slow
def test_promotion_and_rollback(
    own_client: TestClient, database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    register_package(database, blobs, a_servable_package(tmp_path, "b"))
    promoted = own_client.post("/models/b/promote")
    assert promoted.status_code == 200
    body = promoted.json()
    assert (body["version"], body["replaced"], body["kind"]) == ("b", SMALL, "manual")
    assert own_client.post("/models/b/promote").json() == body
    assert statuses(own_client) == {"b": "champion", SMALL: "retired"}
    assert own_client.get("/models").json()["rollback_to"] == SMALL

    to_b = own_client.post("/models/rollback", params={"to": "b"})
    assert to_b.json()["version"] == "b"
    to_c = own_client.post("/models/rollback", params={"to": "c"})
    assert_problem(to_c, 409, "rollback-changed")
    back = own_client.post("/models/rollback", params={"to": SMALL}).json()
    assert (back["version"], back["replaced"], back["kind"]) == (SMALL, "b", "rollback")
    assert own_client.post("/models/rollback", params={"to": SMALL}).json() == back
    assert_problem(own_client.post("/models/rollback"), 409, "nothing-to-roll-back-to")
    assert own_client.get("/models").json()["rollback_to"] is None

    history = own_client.get("/models/history").json()["promotions"]
    assert [(row["version"], row["kind"]) for row in history] == [
        (SMALL, "rollback"),
        ("b", "manual"),
        (SMALL, "first"),
    ]
    assert (
        own_client.get("/models/history", params={"limit": 1}).json()["promotions"] == history[:1]
    )


def test_pruned_and_damaged_versions_are_not_promoted(
    own_client: TestClient, database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    for version in "abc":
        register_package(database, blobs, a_small_package(tmp_path, version))
    blobs.put(f"models/c/{HEAD}", b"damaged")
    service.prune(database, blobs, keep=1)
    assert_problem(own_client.post("/models/a/promote"), 409, "model-pruned")
    assert_problem(own_client.post("/models/c/promote"), 409, "model-damaged")
    assert own_client.get("/models").json()["champion"] == SMALL


def test_unavailable_catalog_gets_503(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("SELECT 1", None, Exception("connection refused"))

    monkeypatch.setattr("sqlalchemy.engine.Engine.connect", refuse)
    for method, path in (
        ("GET", "/models"),
        ("GET", "/models/history"),
        ("GET", "/models/x"),
        ("POST", "/models/x/promote"),
        ("POST", "/models/rollback"),
    ):
        response = client.request(method, path)
        assert_problem(response, 503, "catalog-unavailable")
        assert int(response.headers["retry-after"]) > 0
    assert client.get("/status").json()["training_status"] == "unknown"
