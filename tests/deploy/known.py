"""The variables that API, worker and app read: what a deployment may set."""

from typing import Any

from api.settings import Settings

# Read by boto and MLflow, and not by the service itself.
OF_LIBRARIES = {
    *("MLFLOW_TRACKING_URI", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
}


def of_api() -> set[str]:
    return names_of(Settings) | OF_LIBRARIES


def of_app() -> set[str]:
    from settings import Settings as AppSettings  # noqa: PLC0415  (one of several of that name)

    return names_of(AppSettings)


def names_of(settings: Any) -> set[str]:
    """The variables that a class of settings reads."""
    found = {f"RIPELINE_{name.upper()}" for name in settings.model_fields}
    for field in settings.model_fields.values():
        if field.validation_alias is not None:
            found |= {str(choice) for choice in field.validation_alias.choices}
    return found
