"""A client that sends its headers too slowly, or nothing at all, cannot hold a connection."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.hostile.serving import serving
from tests.waiting import ANSWER_SECONDS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving({"RIPELINE_BODY_SECONDS": "1"}) as served:
        yield served.url


def answer_to(url: str, *sent: bytes) -> bytes:
    """Everything received until the server closes the connection."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        for data in sent:
            connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "start", [b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: ", b"G", b"POST /predict HTTP/1.1\r\n"]
)
def test_unfinished_headers_get_408_and_the_connection_is_closed(url: str, start: bytes) -> None:
    head, _, body = answer_to(url, start).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in head
    assert b'"code":"slow-head"' in body


def test_unfinished_headers_of_a_second_request(url: str) -> None:
    whole = b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n"
    assert answer_to(url, whole, b"GET /li").startswith(b"HTTP/1.1 200 ")


def test_connection_without_a_request_is_closed(url: str) -> None:
    assert answer_to(url) == b""


def test_connection_is_used_again_within_the_time(url: str) -> None:
    with httpx.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False) as client:
        assert [client.get("/live").status_code for _ in range(20)] == [200] * 20


def test_answers_that_close_say_so(url: str) -> None:
    long = b"POST /retrain HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    assert b"connection: close" in answer_to(url, long).partition(b"\r\n\r\n")[0].lower()
    large = b"POST /retrain HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n"
    head = answer_to(url, large + bytes(2_000_000)).partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in head.lower()
