"""What comes before a body, and how it ends, over real connections."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from api.http.header_limit import MOST_BYTES
from api.settings import Settings
from tests.hostile.serving import Served, serving
from tests.http.security.conftest import CHANGE_KEY, PREDICT_KEY, bearer

PIECE = b"a" * 65_536
# Far more than the service may read, and than any buffer on the way holds.
ENDLESS = 400


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    keys = {"RIPELINE_CHANGE_KEYS": CHANGE_KEY, "RIPELINE_PREDICT_KEYS": PREDICT_KEY}
    with serving(keys) as served:
        yield served


def sent(served: Served, *parts: bytes) -> tuple[int, bytes]:
    """How many parts were taken before the service closed, and what it said."""
    said, taken = b"", 0
    with socket.create_connection(("127.0.0.1", served.port), 30) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                taken += 1
            while found := connection.recv(65_536):
                said += found
        except ConnectionError:
            pass
    return taken, said


@pytest.mark.parametrize(
    "start",
    [
        b"GET /health?",
        b"GET /health HTTP/1.1\r\nHost: a\r\nX-Long: ",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: ",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=",
    ],
)
def test_a_head_without_end_is_cut_off(served: Served, start: bytes) -> None:
    taken, said = sent(served, start, *[PIECE] * ENDLESS)
    assert taken < ENDLESS
    assert not said or said.split(b" ")[1] in (b"431", b"401")
    assert served.answers()


def test_headers_without_end_are_cut_off(served: Served) -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (number, b"b" * 90) for number in range(600))
    taken, _ = sent(served, b"GET /health HTTP/1.1\r\n", *[lines] * ENDLESS)
    assert taken < ENDLESS


def test_what_is_too_long_is_told_as_every_other_problem(served: Served) -> None:
    head = b"GET /health?" + b"q" * (MOST_BYTES + 1)
    _, said = sent(served, head)
    assert said.startswith(b"HTTP/1.1 431 ")
    assert b"application/problem+json" in said
    assert b"connection: close" in said.lower()
    _, said = sent(served, b"no request\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"unreadable-request"' in said


def test_a_long_body_is_no_head(served: Served) -> None:
    """However small its chunks are."""
    chunks = b"1\r\na\r\n" * 40_000 + b"0\r\n\r\n"
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    key = f"Authorization: Bearer {PREDICT_KEY}\r\nConnection: close\r\n".encode()
    _, said = sent(served, head, key, b"Content-Type: image/jpeg\r\n\r\n", chunks)
    assert said.startswith(b"HTTP/1.1 415 ")


def test_many_requests_over_one_connection_are_no_long_head(served: Served) -> None:
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        headers = {"X-Filling": "x" * 7000}
        statuses = {client.get("/live", headers=headers).status_code for _ in range(30)}
    assert statuses == {200}


def test_who_has_no_key_is_told_before_the_body_was_sent(served: Served) -> None:
    head = b"POST /upload-training-data HTTP/1.1\r\nHost: a\r\nContent-Length: 500000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), 30) as connection:
        connection.sendall(head)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_a_document_is_no_photograph(served: Served) -> None:
    """Where JSON is taken, a megabyte of it is."""
    limit = Settings.model_fields["max_body_bytes"].default
    assert limit > 2**21
    answer = httpx.post(
        f"{served.url}/dataset/images/remove",
        content=b'{"ids": ["' + b"0" * 2**21,
        headers={"Content-Type": "application/json", **bearer(CHANGE_KEY)},
        trust_env=False,
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
