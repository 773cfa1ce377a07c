"""The environment variables that API, worker and app read."""

from typing import Any

from api.settings import Settings

# Read by boto and MLflow.
LIBRARY_VARIABLES = {
    *("MLFLOW_TRACKING_URI", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
}


def api_variables() -> set[str]:
    return variables_of(Settings) | LIBRARY_VARIABLES


def app_variables() -> set[str]:
    from settings import Settings as AppSettings  # noqa: PLC0415

    return variables_of(AppSettings) | {"STREAMLIT_SERVER_BASE_URL_PATH"}


def variables_of(settings: Any) -> set[str]:
    """The variables of a Settings class."""
    names = {f"RIPELINE_{name.upper()}" for name in settings.model_fields}
    for field in settings.model_fields.values():
        if field.validation_alias is not None:
            names |= {str(alias) for alias in field.validation_alias.choices}
    return names
