"""In-process services with API keys."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from api.settings import Settings

PREDICT_KEY = "predict-0f3a9c1b7e5d2846"
CHANGE_KEY = "change-91be04c7d6a3f258"
DATA_KEY = "data-5e02c9a8f417bd36"
MODELS_KEY = "models-c47d10e95b2f8a63"
Serve = Callable[..., TestClient]


@pytest.fixture(scope="session")
def serve(settings: Settings) -> Iterator[Serve]:
    """Starts the service with changed settings."""
    with ExitStack() as stack:

        def start(**changed: Any) -> TestClient:
            app = create_app(settings.model_copy(update=changed))
            return stack.enter_context(TestClient(app, raise_server_exceptions=False))

        yield start


@pytest.fixture(scope="session")
def locked(serve: Serve) -> TestClient:
    """The service with a key for each scope."""
    return serve(
        predict_keys=(SecretStr(PREDICT_KEY),),
        data_keys=(SecretStr(DATA_KEY),),
        models_keys=(SecretStr(MODELS_KEY),),
        change_keys=(SecretStr(CHANGE_KEY),),
    )


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
