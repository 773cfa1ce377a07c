"""Reading the photo from a multipart form, as different clients write it."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message

from api.http.photo_upload import read_photo

TYPE = "multipart/form-data; boundary=xyz"
FILE = b'Content-Disposition: form-data; name="file"; filename="a b.jpg"\r\n'
DATA = b"\xff\xd8 bytes \r\n-- more"


def body(headers: bytes = FILE, data: bytes = DATA, end: bytes = b"\r\n") -> bytes:
    return b"--xyz\r\n" + headers + b"\r\n" + data + b"\r\n--xyz--" + end


def request(content_type: str, sent: bytes) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": sent, "more_body": False}

    headers = [(b"content-type", content_type.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


@pytest.mark.parametrize(
    ("content_type", "sent", "filename", "data"),
    [
        (TYPE, body(), "a b.jpg", DATA),
        (TYPE, body(end=b""), "a b.jpg", DATA),
        (TYPE, body(data=b""), "a b.jpg", b""),
        (TYPE, body(FILE + b"Content-Type: image/jpeg\r\n"), "a b.jpg", DATA),
        (TYPE, body(b"Content-Type: image/jpeg\r\n" + FILE.lower()), "a b.jpg", DATA),
        (TYPE, body(FILE.replace(b"a b.jpg", "Äpfel.jpg".encode())), "Äpfel.jpg", DATA),
        (TYPE, body(FILE.replace(b"a b.jpg", b"")), "", DATA),
        (TYPE, body(data=b"--xyz is no boundary here"), "a b.jpg", b"--xyz is no boundary here"),
        ('multipart/form-data; boundary="xyz"', body(), "a b.jpg", DATA),
        ("multipart/form-data;boundary=xyz", body(), "a b.jpg", DATA),
    ],
)
def test_file_and_name_are_read_from_the_form(
    content_type: str, sent: bytes, filename: str, data: bytes
) -> None:
    assert asyncio.run(read_photo(request(content_type, sent))) == (data, filename)
