"""A client that sends its body too slowly gets 408 and delays nobody else."""

import socket
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
        return b"".join(parts)  # Ends when the server closes the connection.


def test_slow_body_gets_408_and_the_connection_is_closed() -> None:
    image = encode(draw_fruit("freshapples"), "JPEG")
    with running_api({"RIPELINE_BODY_SECONDS": "0.2"}) as url:
        for path, kind in [
            ("/predict", "image/jpeg"),
            ("/predict", "multipart/form-data; boundary=x"),
            ("/predict/batch", "multipart/form-data; boundary=x"),
            ("/upload-training-data", "multipart/form-data; boundary=x"),
            ("/retrain", "application/json"),
        ]:
            head, _, body = send_incomplete_body(url, path, kind).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 408 "), (path, kind, head)
            assert b"content-type: application/problem+json" in head
            assert b'"code":"slow-body"' in body
        # Fast clients, and requests without a body, are not affected.
        good = httpx.post(
            f"{url}/predict", files={"file": image}, timeout=ANSWER_SECONDS, trust_env=False
        )
        assert good.status_code == 200
        assert httpx.get(f"{url}/health", trust_env=False).status_code == 200
