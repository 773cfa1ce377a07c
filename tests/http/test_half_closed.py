"""Every request gets a response, even if the client closes its side early or keeps sending."""

import socket
from collections.abc import Iterator

import pytest

from tests.hostile.requests import field, form, form_type, request
from tests.hostile.serving import Served, serving
from tests.synthetic_images import draw_fruit, encode

pytestmark = pytest.mark.slow

PHOTO = form([field(b"file", encode(draw_fruit("freshapples"), "JPEG"), b"a.jpg")])
GRADING = request("whole", b"POST", b"/predict", [form_type()], PHOTO).data
KEPT_ALIVE = GRADING.replace(b"Connection: close\r\n", b"")
GRADING_HEAD = GRADING.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
HEAD = b"GET /live HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as served:
        yield served


def answers(served: Served, sent: bytes) -> list[bytes]:
    """The status lines received for `sent`, after which the client closes its side."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    return [b"HTTP/1.1 " + answer[:3] for answer in received.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("whole", [GRADING, KEPT_ALIVE])
def test_request_sent_whole_is_answered(served: Served, whole: bytes) -> None:
    assert answers(served, whole) == [b"HTTP/1.1 200"]


def test_every_one_of_several_requests_is_answered(served: Served) -> None:
    assert answers(served, KEPT_ALIVE * 3) == [b"HTTP/1.1 200"] * 3


def test_keep_alive_connection_ends_with_the_last_answer(served: Served) -> None:
    assert answers(served, HEAD + b"\r\n") == [b"HTTP/1.1 200"]


@pytest.mark.parametrize(
    "part",
    [b"G", HEAD, GRADING[:-1], GRADING[:200], GRADING.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"],
)
def test_request_that_ends_too_early_gets_an_error(served: Served, part: bytes) -> None:
    assert answers(served, part) == [b"HTTP/1.1 400"]


def test_nothing_sent_is_answered_by_nothing(served: Served) -> None:
    assert answers(served, b"") == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"GET /?" + b"q" * 4_000_000, b"431"), (b"\0" * 4_000_000, b"400")],
)
def test_refused_client_that_sends_on_reads_the_answer(
    served: Served, sent: bytes, status: bytes
) -> None:
    assert answers(served, sent) == [b"HTTP/1.1 " + status]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(
    ("line", "header", "status"),
    [
        ("POST /nowhere", "Content-Type: image/jpeg", b"404"),
        ("PUT /predict", "Content-Type: image/jpeg", b"405"),
        ("POST /predict", "Content-Type: text/plain", b"415"),
        ("POST /predict", "Content-Type: multipart/form-data; boundary=b", b"400"),
        ("POST /predict", "Content-Type: image/jpeg\r\nContent-Encoding: br", b"415"),
        ("GET /live", "Content-Type: image/jpeg", b"200"),
    ],
)
def test_answer_before_the_end_of_a_body_is_read(
    served: Served, version: str, line: str, header: str, status: bytes
) -> None:
    """Proxies send requests like this: they ask to close the connection, and read only after
    sending."""
    body = bytes(3_000_000)
    head = f"{line} HTTP/{version}\r\nHost: x\r\nConnection: close\r\n{header}\r\n"
    sent = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    assert answers(served, sent) == [b"HTTP/1.1 " + status]


def test_client_that_never_stops_sending_is_disconnected(served: Served) -> None:
    head = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        connection.sendall(head + b"Content-Length: 9999999999\r\n\r\n")
        with pytest.raises(ConnectionError):
            connection.sendall(bytes(500 * 2**20))
