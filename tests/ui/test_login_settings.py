"""Streamlit's secrets for a login, from the environment."""

import auth
import pytest
from pydantic import ValidationError
from settings import Settings

WHOLE = {
    "RIPELINE_UI_URL": "https://fruit.example/",
    "RIPELINE_OIDC_METADATA_URL": "https://login.example/.well-known/openid-configuration",
    "RIPELINE_OIDC_CLIENT_ID": "ripeline",
    "RIPELINE_OIDC_CLIENT_SECRET": "a secret that must not be told",
    "RIPELINE_OIDC_COOKIE_SECRET": "0123456789abcdef0123456789abcdef",
}


@pytest.fixture(autouse=True)
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in WHOLE.items():
        monkeypatch.setenv(name, value)


def test_the_environment_names_the_provider() -> None:
    assert auth.login_secrets(Settings()) == {
        "auth": {
            "redirect_uri": "https://fruit.example/oauth2callback",
            "server_metadata_url": WHOLE["RIPELINE_OIDC_METADATA_URL"],
            "client_id": WHOLE["RIPELINE_OIDC_CLIENT_ID"],
            "client_secret": WHOLE["RIPELINE_OIDC_CLIENT_SECRET"],
            "cookie_secret": WHOLE["RIPELINE_OIDC_COOKIE_SECRET"],
        }
    }


def test_without_a_provider_there_is_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WHOLE:
        monkeypatch.delenv(name)

    assert auth.login_secrets(Settings()) is None


@pytest.mark.parametrize("missing", [name for name in WHOLE if "OIDC" in name])
def test_an_incomplete_login_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delenv(missing)

    with pytest.raises(ValidationError, match=missing) as refused:
        Settings()
    assert "must not be told" not in str(refused.value)


def test_a_cookie_secret_that_can_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIPELINE_OIDC_COOKIE_SECRET", "changeme")

    with pytest.raises(ValidationError, match="openssl rand"):
        Settings()
