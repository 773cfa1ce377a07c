"""A client that sends its body too slowly gets 408 and delays nobody else."""

import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from tests.processes import running_api
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import ANSWER_SECONDS

pytestmark = pytest.mark.slow

HEAD = "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 100000\r\n\r\n"
BEGINNING = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nsome of it'


def send_incomplete_body(url: str, path: str, kind: str) -> bytes:
    """The whole response to a request whose body is never completed."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(HEAD.format(path=path, kind=kind).encode() + BEGINNING)
        parts = iter(lambda: connection.recv(65536), b"")
        return b"".join(parts)  # The server has closed the connection.


def test_slow_body_gets_408_and_the_connection_is_closed() -> None:
    image = encode(draw_fruit("freshapples"), "JPEG")
    sent = [
        ("/predict", "image/jpeg"),
        ("/predict", "multipart/form-data; boundary=x"),
        ("/predict/batch", "multipart/form-data; boundary=x"),
        ("/upload-training-data", "multipart/form-data; boundary=x"),
        ("/retrain", "application/json"),
    ]
    # Long enough for a fast client that has to wait for a core.
    with running_api({"RIPELINE_BODY_SECONDS": "3"}) as url:
        with ThreadPoolExecutor(len(sent)) as at_once:
            answers = list(at_once.map(lambda one: send_incomplete_body(url, *one), sent))
        for (path, kind), answer in zip(sent, answers, strict=True):
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 408 "), (path, kind, head)
            assert b"content-type: application/problem+json" in head
            assert b'"code":"slow-body"' in body
        # Fast clients, and requests without a body, are not affected.
        good = httpx.post(
            f"{url}/predict", files={"file": image}, timeout=ANSWER_SECONDS, trust_env=False
        )
        assert good.status_code == 200
        assert httpx.get(f"{url}/health", trust_env=False).status_code == 200
