"""Request lines, headers and chunks that are too long or invalid, over real connections."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from api.http.header_limit import MAX_HEADER_BYTES
from api.settings import Settings
from tests.hostile.serving import Served, serving
from tests.http.security.conftest import CHANGE_KEY, PREDICT_KEY, bearer
from tests.waiting import ANSWER_SECONDS

pytestmark = pytest.mark.slow

PIECE = b"a" * 65_536
# Number of parts: far more than the service may read and socket buffers hold.
ENDLESS = 400


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    keys = {"RIPELINE_CHANGE_KEYS": CHANGE_KEY, "RIPELINE_PREDICT_KEYS": PREDICT_KEY}
    with serving(keys) as served:
        yield served


def send_parts(served: Served, *parts: bytes) -> tuple[int, bytes]:
    """How many parts were sent before the service closed the connection, and its response."""
    answer, sent = b"", 0
    with socket.create_connection(("127.0.0.1", served.port), 30) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                sent += 1
            while data := connection.recv(65_536):
                answer += data
        except ConnectionError:
            pass
    return sent, answer


@pytest.mark.parametrize(
    "start",
    [
        b"GET /health?",
        b"GET /health HTTP/1.1\r\nHost: a\r\nX-Long: ",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: ",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=",
    ],
)
def test_endless_request_head_is_cut_off(served: Served, start: bytes) -> None:
    sent, answer = send_parts(served, start, *[PIECE] * ENDLESS)
    assert sent < ENDLESS
    assert not answer or answer.split(b" ")[1] in (b"431", b"401")
    assert served.answers()


def test_endless_headers_are_cut_off(served: Served) -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (number, b"b" * 90) for number in range(600))
    sent, _ = send_parts(served, b"GET /health HTTP/1.1\r\n", *[lines] * ENDLESS)
    assert sent < ENDLESS


def test_too_long_request_head_gets_a_problem_document(served: Served) -> None:
    head = b"GET /health?" + b"q" * (MAX_HEADER_BYTES + 1)
    _, answer = send_parts(served, head)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"application/problem+json" in answer
    assert b"connection: close" in answer.lower()
    _, answer = send_parts(served, b"no request\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"unreadable-request"' in answer


def test_chunked_body_does_not_count_towards_the_header_limit(served: Served) -> None:
    """Not even in chunks of one byte."""
    chunks = b"1\r\na\r\n" * 40_000 + b"0\r\n\r\n"
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    key = f"Authorization: Bearer {PREDICT_KEY}\r\nConnection: close\r\n".encode()
    _, answer = send_parts(served, head, key, b"Content-Type: image/jpeg\r\n\r\n", chunks)
    assert answer.startswith(b"HTTP/1.1 415 ")


def test_header_limit_is_per_request_not_per_connection(served: Served) -> None:
    with httpx.Client(base_url=served.url, timeout=ANSWER_SECONDS, trust_env=False) as client:
        headers = {"X-Filling": "x" * 7000}
        statuses = {client.get("/live", headers=headers).status_code for _ in range(30)}
    assert statuses == {200}


def test_missing_key_is_rejected_before_the_body_is_sent(served: Served) -> None:
    head = b"POST /upload-training-data HTTP/1.1\r\nHost: a\r\nContent-Length: 500000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), 30) as connection:
        connection.sendall(head)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_json_bodies_have_a_smaller_limit(served: Served) -> None:
    """The limit is one megabyte, less than for photos."""
    limit = Settings.model_fields["max_body_bytes"].default
    assert limit > 2**21
    answer = httpx.post(
        f"{served.url}/dataset/images/remove",
        content=b'{"ids": ["' + b"0" * 2**21,
        headers={"Content-Type": "application/json", **bearer(CHANGE_KEY)},
        timeout=ANSWER_SECONDS,
        trust_env=False,
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
