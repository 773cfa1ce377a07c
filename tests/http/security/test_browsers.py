"""What browsers are told, and whose pages may send requests."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError

from api.app import create_app
from api.settings import Settings
from tests.http.security.conftest import CHANGE_KEY, Serve, bearer

ELSEWHERE = {"Origin": "https://elsewhere.example"}


@pytest.mark.parametrize("path", ["/", "/docs", "/health", "/nowhere", "/predict"])
def test_every_answer_is_marked(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert policy.startswith("default-src 'none'")


def test_a_failure_of_ours_is_marked_too(settings: Settings) -> None:
    app: FastAPI = create_app(settings)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/broken")
    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_pages_may_show_what_they_need(client: TestClient) -> None:
    docs = client.get("/docs")
    policy = docs.headers["content-security-policy"]
    for source in ("https://cdn.jsdelivr.net", "https://fastapi.tiangolo.com"):
        assert source in docs.text
        assert source in policy
    landing = client.get("/", headers={"Accept": "text/html"})
    assert "<style>" in landing.text
    assert "style-src 'unsafe-inline'" in landing.headers["content-security-policy"]
    assert "unsafe-inline" not in client.get("/health").headers["content-security-policy"]


def test_pages_of_other_sites_neither_read_nor_change(client: TestClient) -> None:
    read = client.get("/health", headers=ELSEWHERE)
    assert "access-control-allow-origin" not in read.headers
    for origin in ("https://elsewhere.example", "null", "http://testserver.example"):
        changed = client.post("/models/rollback", headers={"Origin": origin})
        assert (changed.status_code, changed.json()["code"]) == (403, "cross-site"), origin


def test_the_page_of_the_service_itself_may(client: TestClient) -> None:
    answer = client.post("/models/rollback", headers={"Origin": "http://testserver"})
    assert answer.status_code == 409


def test_sites_that_are_named_may_call(serve: Serve) -> None:
    client = serve(cors_origins=("https://app.example",), change_keys=(SecretStr(CHANGE_KEY),))
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "authorization,content-type"
    preflight = client.options("/retrain", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://app.example"
    refused = client.post("/models/rollback", headers={"Origin": "https://app.example"})
    assert refused.status_code == 401  # And the page can read why.
    assert refused.headers["access-control-allow-origin"] == "https://app.example"
    stranger = client.options("/retrain", headers={**asked, **ELSEWHERE})
    assert "access-control-allow-origin" not in stranger.headers


def test_a_key_is_no_page_of_another_site(locked: TestClient) -> None:
    headers = {**ELSEWHERE, **bearer(CHANGE_KEY)}
    assert locked.post("/models/rollback", headers=headers).status_code == 409


@pytest.mark.parametrize("origin", ["*", "app.example", "https://app.example/path", "null"])
def test_what_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("RIPELINE_CORS_ORIGINS", f"https://good.example,{origin}")
    with pytest.raises(ValidationError, match="is no origin"):
        Settings()
