"""Request ids, from the client or generated, are in the response, in errors and in the log."""

import io
import json
import logging
from collections.abc import Iterator

import httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.core.log_setup import line_formatter
from api.settings import Settings
from tests.hostile.serving import Served, serving
from tests.http.security.conftest import CHANGE_KEY
from tests.synthetic_images import draw_fruit, encode

UNSAFE = ["two words", "a\tb", "x" * 65, "é", '"},{"level":"error', "a;b", "../../x", "%0a"]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The JSON lines that the `api` loggers write during the test."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(line_formatter(as_json=True, fields={}))
    logging.getLogger("api").addHandler(handler)
    yield stream
    logging.getLogger("api").removeHandler(handler)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    settings = {
        "RIPELINE_ACCESS_LOG": "1",
        "RIPELINE_LOG_FORMAT": "json",
        "RIPELINE_CHANGE_KEYS": CHANGE_KEY,
    }
    with serving(settings) as served:
        yield served


def test_problem_document_has_the_request_id_of_the_header(client: TestClient) -> None:
    answers = [
        client.get("/nowhere"),
        client.get("/predict"),
        client.post("/predict", content=b"x", headers={"content-type": "image/jpeg"}),
        client.get("/predictions", params={"limit": 0}),
    ]
    assert [answer.status_code for answer in answers] == [404, 405, 415, 422]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert [answer.json()["request_id"] for answer in answers] == ids
    assert len(set(ids)) == len(ids)


def test_successful_response_has_a_request_id_header(client: TestClient) -> None:
    image = encode(draw_fruit("freshapples"), "JPEG")
    graded = client.post("/predict", files={"file": image})
    assert len(graded.headers["x-request-id"]) == 32
    assert "request_id" not in graded.json()


def test_error_of_one_photo_in_a_batch_has_no_request_id(client: TestClient) -> None:
    (row,) = client.post("/predict/batch", files=[("files", b"x")]).json()["results"]
    assert "request_id" not in row["error"]


@pytest.mark.parametrize("client_id", ["a", "order-4711", "6f1c.b_2", "x" * 64])
def test_safe_request_id_of_the_client_is_kept(client: TestClient, client_id: str) -> None:
    answer = client.get("/nowhere", headers={"X-Request-ID": client_id})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == client_id


@pytest.mark.parametrize("client_id", UNSAFE)
def test_unsafe_request_id_is_replaced(client: TestClient, client_id: str) -> None:
    answer = client.get("/nowhere", headers={b"X-Request-ID": client_id.encode()})
    ids = answer.headers.get_list("x-request-id")
    assert ids == [answer.json()["request_id"]]
    assert ids[0].isalnum()
    assert len(ids[0]) == 32


@pytest.mark.slow
def test_internal_error_is_logged_with_its_request_id(
    settings: Settings, lines: io.StringIO
) -> None:
    app = create_app(settings)

    @app.get("/broken")
    def broken() -> None:
        logging.getLogger("api.test").warning("on a thread of its own")
        raise RuntimeError("the bulb")

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/broken", headers={"X-Request-ID": "tuesday-7"})
    assert answer.json()["code"] == "internal-error"
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "tuesday-7"
    entries = [json.loads(line) for line in lines.getvalue().splitlines()]
    of_request = [line for line in entries if line.get("request_id") == "tuesday-7"]
    assert [line["level"] for line in of_request] == ["warning", "error"]
    assert "the bulb" in of_request[-1]["exception"]


@pytest.mark.slow
def test_every_log_line_is_json_with_its_request_id(served: Served) -> None:
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        client.get("/live", headers={"X-Request-ID": "kept-1"})
        unauthorized = client.get("/runs", headers={"X-Request-ID": "not kept"})
    assert unauthorized.status_code == 401
    lines = [json.loads(line) for line in served.log_text().splitlines()]
    assert {"uvicorn.error", "uvicorn.access", "api.registry.model_reloader"} <= {
        line["logger"] for line in lines
    }
    access = {line["message"]: line for line in lines if line["logger"] == "uvicorn.access"}
    (live,) = [line for message, line in access.items() if "/live" in message]
    assert live["request_id"] == "kept-1"
    (runs,) = [line for message, line in access.items() if "/runs" in message]
    assert runs["request_id"] == unauthorized.json()["request_id"]
    assert "not kept" not in served.log_text()
