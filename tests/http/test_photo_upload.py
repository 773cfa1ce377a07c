"""The short way through a form gives what the parser gives, or nothing."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartParser

from api.http.photo_upload import parse_single_file

TYPE = "multipart/form-data; boundary=xyz"
FILE = b'Content-Disposition: form-data; name="file"; filename="a b.jpg"\r\n'


DATA = b"\xff\xd8 bytes \r\n-- more"


def body(headers: bytes = FILE, data: bytes = DATA, end: bytes = b"\r\n") -> bytes:
    return b"--xyz\r\n" + headers + b"\r\n" + data + b"\r\n--xyz--" + end


async def _parsed(content_type: str, sent: bytes) -> tuple[str, str, bytes]:
    async def stream() -> AsyncGenerator[bytes]:
        yield sent

    form = await MultiPartParser(Headers({"content-type": content_type}), stream()).parse()
    ((name, item),) = form.multi_items()
    assert isinstance(item, UploadFile)
    found = name, item.filename or "", await item.read()
    await form.close()
    return found


@pytest.mark.parametrize(
    ("content_type", "sent"),
    [
        (TYPE, body()),
        (TYPE, body(end=b"")),
        (TYPE, body(data=b"")),
        (TYPE, body(FILE + b"Content-Type: image/jpeg\r\n")),
        (TYPE, body(b"Content-Type: image/jpeg\r\n" + FILE.lower())),
        (TYPE, body(FILE.replace(b"a b.jpg", "Äpfel.jpg".encode()))),
        (TYPE, body(FILE.replace(b"a b.jpg", b""))),
        (TYPE, body(data=b"--xyz is no boundary here")),
        ('multipart/form-data; boundary="xyz"', body()),
        ("multipart/form-data;boundary=xyz", body()),
    ],
)
def test_a_plain_form_is_read_as_the_parser_reads_it(content_type: str, sent: bytes) -> None:
    part = parse_single_file(content_type, sent)
    assert part is not None
    assert tuple(part) == asyncio.run(_parsed(content_type, sent))


@pytest.mark.parametrize(
    ("content_type", "sent"),
    [
        ("multipart/form-data", body()),
        ("multipart/form-data; boundary=other", body()),
        (TYPE, b""),
        (TYPE, body()[:-12]),
        (TYPE, body() + body()),
        (TYPE, body().replace(b"--xyz--", b"--xyz\r\n" + FILE + b"\r\nmore\r\n--xyz--")),
        (TYPE, body(b'Content-Disposition: form-data; name="file"\r\n')),
        (TYPE, body(FILE.replace(b"a b", b'a \\" b'))),
        (TYPE, body(FILE.replace(b"a b", b"a %22 b"))),
        (TYPE, body(FILE.replace(b"a b", b"a \xff b"))),
        (TYPE, body(FILE + FILE)),
        (TYPE, body(FILE.rstrip() + b"; filename*=UTF-8''b.jpg\r\n")),
        (TYPE, body(b"X: " + b"y" * 2000 + b"\r\n" + FILE)),
        (TYPE, b"preamble\r\n" + body()),
        (TYPE, b"--xyz\r\n" + FILE),
    ],
)
def test_any_other_form_is_left_to_the_parser(content_type: str, sent: bytes) -> None:
    assert parse_single_file(content_type, sent) is None
