"""The login by OIDC that the environment asks for, as Streamlit's own `st.login` wants it told."""

from collections.abc import Mapping
from typing import Any

from settings import Settings

CALLBACK = "oauth2callback"


def secrets(settings: Settings) -> Mapping[str, Any] | None:
    """The `[auth]` section of Streamlit's secrets; None where the environment names no provider.

    It takes the place of one in a `secrets.toml`.
    """
    if not settings.oidc_metadata_url:
        return None
    return {
        "auth": {
            "redirect_uri": f"{settings.ui_url}/{CALLBACK}",
            "cookie_secret": settings.oidc_cookie_secret.get_secret_value(),
            "server_metadata_url": settings.oidc_metadata_url,
            "client_id": settings.oidc_client_id,
            "client_secret": settings.oidc_client_secret.get_secret_value(),
        }
    }
