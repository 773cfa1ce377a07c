"""Changes need a key if other machines can reach the service."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from starlette.types import Message, Scope

from api.app import create_app
from api.http.security.auth import check_bind_address, is_public_address
from api.settings import Settings
from tests.http.security.conftest import CHANGE_KEY

PUBLIC = ["0.0.0.0", "::", "192.168.1.5", "ripeline.example", "", "fd00::1"]  # noqa: S104
LOOPBACK = ["127.0.0.1", "127.1.2.3", "::1", "localhost", "::ffff:127.0.0.1"]


@pytest.mark.parametrize("host", PUBLIC)
def test_public_address_requires_keys_or_allow_open(settings: Settings, host: str) -> None:
    public = settings.model_copy(update={"host": host})
    assert "RIPELINE_CHANGE_KEYS" in check_bind_address(public)
    keys = (SecretStr(CHANGE_KEY),)
    for change in ({"change_keys": keys}, {"predict_keys": keys}, {"allow_open": True}):
        assert not check_bind_address(public.model_copy(update=change))


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_address_needs_no_keys(settings: Settings, host: str) -> None:
    assert not check_bind_address(settings.model_copy(update={"host": host}))


def test_only_network_addresses_are_public() -> None:
    assert all(is_public_address((host, 8000)) for host in ("192.168.1.5", "fd00::1"))
    local = [("127.0.0.1", 8000), ("::1", 8000), ("/run/ripeline.sock", None), None]
    assert not any(is_public_address(end) for end in local)


@pytest.mark.parametrize(
    ("server", "allow_open", "path", "status"),
    [
        ("192.0.2.1", False, "/models/rollback", 403),
        ("192.0.2.1", True, "/models/rollback", 409),
        ("127.0.0.1", False, "/models/rollback", 409),
        ("192.0.2.1", False, "/predict", 415),
    ],
)
def test_changes_over_a_public_address_are_forbidden(
    settings: Settings, server: str, allow_open: bool, path: str, status: int
) -> None:
    app = create_app(settings.model_copy(update={"allow_open": allow_open}))
    with TestClient(app) as client:
        assert post_status(client, app, server, path) == status


def post_status(client: TestClient, app: FastAPI, server: str, path: str) -> int:
    """The status of a POST over a connection to the address `server` of this machine."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [],
        "server": (server, 8000),
    }
    assert client.portal is not None
    client.portal.call(app, scope, receive, send)
    status: int = sent[0]["status"]
    return status
