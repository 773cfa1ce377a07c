"""The app's settings, from the environment."""

from typing import Annotated, Self

from pydantic import AfterValidator, PositiveFloat, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# A shorter secret could be guessed and used to forge logins.
MIN_COOKIE_SECRET = 32


def _with_scheme(address: str) -> str:
    # Hosting platforms give a bare `host:port` for a neighbouring service.
    address = address.strip().rstrip("/")
    return address if "://" in address else f"http://{address}"


class Settings(BaseSettings):
    """The app's settings; each is read from the variable `RIPELINE_` plus its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="RIPELINE_", env_ignore_empty=True, hide_input_in_errors=True
    )

    api_url: Annotated[str, AfterValidator(_with_scheme)] = "http://127.0.0.1:8000"
    # The app's key, if the API has keys: one of its RIPELINE_CHANGE_KEYS.
    api_key: SecretStr = SecretStr("")
    # Seconds to wait for a prediction, including the upload of the photo from a slow phone.
    api_timeout: PositiveFloat = 30.0
    # Seconds to wait for a health check, which answers at once or not at all.
    api_health_timeout: PositiveFloat = 3.0
    # Empty lets everybody on this machine in.
    ui_password: SecretStr = SecretStr("")
    # Allow the app without password or login where other machines can reach it.
    allow_open: bool = False
    # Where people open this app; the login provider sends them back there.
    ui_url: Annotated[str, AfterValidator(_with_scheme)] = "http://127.0.0.1:8501"
    # The provider's discovery document, `https://…/.well-known/openid-configuration`; empty: no
    # login.
    oidc_metadata_url: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    # Signs the cookie that keeps a person logged in.
    oidc_cookie_secret: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        given = {
            "RIPELINE_OIDC_METADATA_URL": self.oidc_metadata_url,
            "RIPELINE_OIDC_CLIENT_ID": self.oidc_client_id,
            "RIPELINE_OIDC_CLIENT_SECRET": self.oidc_client_secret.get_secret_value(),
            "RIPELINE_OIDC_COOKIE_SECRET": self.oidc_cookie_secret.get_secret_value(),
        }
        missing = [name for name, value in given.items() if not value]
        if missing and len(missing) < len(given):
            raise ValueError(f"A login by OIDC also needs {', '.join(missing)}.")
        if not missing and len(given["RIPELINE_OIDC_COOKIE_SECRET"]) < MIN_COOKIE_SECRET:
            raise ValueError(
                "RIPELINE_OIDC_COOKIE_SECRET is too short. Make one with `openssl rand -hex 32`."
            )
        return self
