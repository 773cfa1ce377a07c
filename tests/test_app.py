"""The whole service."""

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from starlette.types import Message

from api.app import create_app
from api.http.deps import SessionDep
from api.settings import PROJECT, Settings


def test_unknown_paths_and_methods_get_problem_documents(client: TestClient) -> None:
    missing = client.get("/nowhere")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")
    wrong = client.get("/predict")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method-not-allowed")
    assert wrong.headers["allow"] == "POST"
    assert all(answer.json()["detail"].endswith(".") for answer in (missing, wrong))


def test_openapi_document_lists_the_problems_of_an_endpoint(
    client: TestClient,
) -> None:
    answers = client.get("/openapi.json").json()["paths"]["/predict"]["post"]["responses"]
    assert {"200", "400", "413", "415", "422", "503"} <= set(answers)
    assert set(answers["422"]["content"]) == {"application/problem+json"}


def test_internal_error_does_not_show_its_message(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the password is 1234")

    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.get("/broken")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "1234" not in response.text


def test_control_characters_of_a_path_are_escaped_in_the_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(settings)

    @app.get("/broken/{name}")
    def broken(name: str) -> None:
        if name.startswith("database"):
            raise OperationalError(name, None, Exception())
        raise RuntimeError

    with TestClient(app, raise_server_exceptions=False) as client:
        statuses = [
            client.get(f"/broken/{name}%0A%1B[31mERROR: forged").status_code
            for name in ("internal", "database")
        ]
    assert statuses == [500, 503]
    messages = [message for message in caplog.messages if "/broken/" in message]
    assert len(messages) == 2
    # No forged lines or escape sequences.
    assert all(line.partition("unavailable:")[0].isprintable() for line in messages)


def test_connection_lost_before_the_commit_gets_503(settings: Settings) -> None:
    app = create_app(settings)

    @app.post("/change")
    def change(session: SessionDep) -> None:
        def lost(_: object) -> None:
            raise OperationalError("COMMIT", None, Exception("server closed the connection"))

        event.listen(session, "before_commit", lost)

    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.post("/change")
    assert (response.status_code, response.json()["code"]) == (503, "catalog-unavailable")
    assert int(response.headers["retry-after"]) > 0


def test_client_that_disconnects_is_not_an_error(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(settings)
    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": b"abc", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> Message:
        return next(messages)

    async def send(_message: Message) -> None:
        pass

    with TestClient(app) as client:
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/predict",
            "query_string": b"",
            "headers": [(b"content-type", b"image/jpeg")],
            "app": client.app,
        }
        assert client.portal is not None
        client.portal.call(app, scope, receive, send)
    assert not caplog.records


@pytest.mark.slow
def test_api_imports_neither_training_nor_rarely_used_libraries() -> None:
    """Its container image does not have the former. The latter are imported once they are needed:
    PostgreSQL's driver, and OpenVINO if the processor has bfloat16.
    """
    code = (
        "import sys, api.app; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'tensorflow', 'keras', 'sklearn', 'scipy', 'pandas', 'mlflow', 'rich', 'torch', "
        "'psycopg', 'openvino'}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""


def test_garbage_is_collected_once_it_serves(settings: Settings) -> None:
    """`python -m api` starts with collection disabled; a service that never collected would
    grow."""
    gc.disable()
    try:
        with TestClient(create_app(settings)):
            assert gc.isenabled()
            assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.enable()
