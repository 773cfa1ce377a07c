"""Security headers, CORS and cross-site requests."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError

from api.app import create_app
from api.settings import Settings
from tests.http.security.conftest import CHANGE_KEY, Serve, bearer

OTHER_ORIGIN = {"Origin": "https://elsewhere.example"}


@pytest.mark.parametrize("path", ["/", "/docs", "/health", "/nowhere", "/predict"])
def test_every_response_has_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert policy.startswith("default-src 'none'")


def test_internal_errors_have_security_headers(settings: Settings) -> None:
    app: FastAPI = create_app(settings)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/broken")
    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_content_security_policy_allows_what_the_html_pages_load(client: TestClient) -> None:
    docs = client.get("/docs")
    policy = docs.headers["content-security-policy"]
    for source in ("https://cdn.jsdelivr.net", "https://fastapi.tiangolo.com"):
        assert source in docs.text
        assert source in policy
    landing = client.get("/", headers={"Accept": "text/html"})
    assert "<style>" in landing.text
    assert "style-src 'unsafe-inline'" in landing.headers["content-security-policy"]
    assert "unsafe-inline" not in client.get("/health").headers["content-security-policy"]


def test_other_origins_can_neither_read_nor_change(client: TestClient) -> None:
    read = client.get("/health", headers=OTHER_ORIGIN)
    assert "access-control-allow-origin" not in read.headers
    for origin in ("https://elsewhere.example", "null", "http://testserver.example"):
        changed = client.post("/models/rollback", headers={"Origin": origin})
        assert (changed.status_code, changed.json()["code"]) == (403, "cross-site"), origin


def test_same_origin_may_change(client: TestClient) -> None:
    answer = client.post("/models/rollback", headers={"Origin": "http://testserver"})
    assert answer.status_code == 409


def test_configured_cors_origin_may_call(serve: Serve) -> None:
    client = serve(cors_origins=("https://app.example",), change_keys=(SecretStr(CHANGE_KEY),))
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    headers["Access-Control-Request-Headers"] = "authorization,content-type"
    preflight = client.options("/retrain", headers=headers)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://app.example"
    unauthorized = client.post("/models/rollback", headers={"Origin": "https://app.example"})
    assert unauthorized.status_code == 401  # The CORS header lets the page read the error.
    assert unauthorized.headers["access-control-allow-origin"] == "https://app.example"
    exposed = unauthorized.headers["access-control-expose-headers"].lower().split(", ")
    assert {"x-request-id", "retry-after"} <= set(exposed)
    other = client.options("/retrain", headers={**headers, **OTHER_ORIGIN})
    assert "access-control-allow-origin" not in other.headers


def test_request_with_a_key_is_not_cross_site(locked: TestClient) -> None:
    headers = {**OTHER_ORIGIN, **bearer(CHANGE_KEY)}
    assert locked.post("/models/rollback", headers=headers).status_code == 409


@pytest.mark.parametrize("origin", ["*", "app.example", "https://app.example/path", "null"])
def test_invalid_cors_origin_is_rejected(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("RIPELINE_CORS_ORIGINS", f"https://good.example,{origin}")
    with pytest.raises(ValidationError, match="is not an origin"):
        Settings()
