"""Streamlit's login secrets, from environment variables."""

import auth
import pytest
from pydantic import ValidationError
from settings import Settings

COMPLETE = {
    "RIPELINE_UI_URL": "https://fruit.example/",
    "RIPELINE_OIDC_METADATA_URL": "https://login.example/.well-known/openid-configuration",
    "RIPELINE_OIDC_CLIENT_ID": "ripeline",
    "RIPELINE_OIDC_CLIENT_SECRET": "a secret that must not be shown",
    "RIPELINE_OIDC_COOKIE_SECRET": "0123456789abcdef0123456789abcdef",
}


@pytest.fixture(autouse=True)
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)


def test_login_secrets_are_read_from_the_environment() -> None:
    assert auth.login_secrets(Settings()) == {
        "auth": {
            "redirect_uri": "https://fruit.example/oauth2callback",
            "server_metadata_url": COMPLETE["RIPELINE_OIDC_METADATA_URL"],
            "client_id": COMPLETE["RIPELINE_OIDC_CLIENT_ID"],
            "client_secret": COMPLETE["RIPELINE_OIDC_CLIENT_SECRET"],
            "cookie_secret": COMPLETE["RIPELINE_OIDC_COOKIE_SECRET"],
        }
    }


def test_without_a_provider_there_is_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in COMPLETE:
        monkeypatch.delenv(name)

    assert auth.login_secrets(Settings()) is None


@pytest.mark.parametrize("missing", [name for name in COMPLETE if "OIDC" in name])
def test_incomplete_login_settings_name_the_missing_variable(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delenv(missing)

    with pytest.raises(ValidationError, match=missing) as raised:
        Settings()
    assert "must not be shown" not in str(raised.value)


def test_weak_cookie_secret_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIPELINE_OIDC_COOKIE_SECRET", "changeme")

    with pytest.raises(ValidationError, match="openssl rand"):
        Settings()
