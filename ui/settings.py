"""Where the API is, how to enter it, how long to wait and who may look, from the environment."""

from typing import Annotated

from pydantic import AfterValidator, PositiveFloat, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _with_scheme(address: str) -> str:
    # Hosting platforms hand out a bare `host:port` for a neighbouring service.
    address = address.strip().rstrip("/")
    return address if "://" in address else f"http://{address}"


class Settings(BaseSettings):
    """The app's settings; each is read from `RIPELINE_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="RIPELINE_", env_ignore_empty=True)

    api_url: Annotated[str, AfterValidator(_with_scheme)] = "http://127.0.0.1:8000"
    # What the app says who it is by, where the API has keys: one of those that may change things.
    api_key: SecretStr = SecretStr("")
    # Seconds to wait for a prediction: a photograph from a slow phone has to get there first.
    api_timeout: PositiveFloat = 30.0
    # Seconds to wait for a health answer, which comes at once or not at all.
    api_health_timeout: PositiveFloat = 3.0
    # Whoever opens the app is asked for it; empty lets everybody in.
    ui_password: SecretStr = SecretStr("")
