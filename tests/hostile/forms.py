"""Malformed multipart forms: wrong boundaries, names, lengths and counts."""

import gzip
import random
import zlib
from collections.abc import Iterator

from tests.hostile.requests import (
    BOUNDARY,
    Attack,
    field,
    form,
    form_request,
    form_type,
    request,
)

PATHS = (
    *(b"/predict", b"/predict/batch", b"/upload-training-data", b"/insights/augmentation"),
    *(b"/predict?instances=true", b"/predict/batch?instances=true"),
    *(b"/upload-boxed-photos", b"/models/compare?a=default&b=default"),
)
FILENAMES = (
    *(b"../../../etc/passwd", b"/etc/passwd", b"C:\\x\\y.jpg", b"a\0b.jpg", b"", b".", b".."),
    *(b"\xff\xfe\xfd.jpg", "ü\u202egpj.exe".encode(), b"x" * 4000, b'"; name="class_name', b"\r"),
    *(
        b"s3://bucket/key.jpg",
        b"http://127.0.0.1:1/x.jpg",
        b"%00%2e%2e%2f",
        b"CON",
        b"\xed\xa0\x80",
    ),
)
CHARSETS = (
    *(b"undefined", b"idna", b"punycode", b"zlib", b"utf-7", b"utf-16", b"rot13", b"..", b"\xff"),
    *(b"unicode_escape", b"utf-8\xff", b"x" * 3000, b'"', b"mbcs", b"hex", b"cp037"),
)
CONTENT_TYPES = (
    *(b"", b"text/plain", b"multipart/form-data", b"multipart/form-data; boundary=", b"image/"),
    *(b"multipart/form-data; boundary=" + b"x" * 300, b'multipart/form-data; boundary="', b"\xff"),
    *(
        b"multipart/mixed; boundary=a",
        b"application/json",
        b"image/svg+xml",
        b"image/jpeg; a=" + b"b" * 9000,
    ),
    *(b"application/x-www-form-urlencoded", b"multipart/form-data;boundary=a;boundary=b", b";;;"),
    b"multipart/form-data; boundary=\xc3\xa9",
)


def malformed_forms(image: bytes, rng: random.Random) -> Iterator[Attack]:
    """An endless series of each kind in turn, sent to random paths that take forms."""
    while True:
        for kind in (_boundary, _name, _content_type, _charset, _too_much, _framing):
            yield kind(image, rng)


def _path(rng: random.Random) -> bytes:
    return rng.choice(PATHS)


def _name(image: bytes, rng: random.Random) -> Attack:
    name = rng.choice((b"file", b"files", b"class_name", b"", b"\0", "ü".encode(), b"f" * 4000))
    filename = rng.choice(FILENAMES)
    parts = [field(name, image, filename), field(b"class_name", rng.choice(FILENAMES))]
    return form_request(f"names {name[:20]!r} {filename[:20]!r}", _path(rng), parts)


def _content_type(image: bytes, rng: random.Random) -> Attack:
    content_type = rng.choice(CONTENT_TYPES)
    body = rng.choice((image, form([field(b"file", image, b"a.jpg")]), b"", b"\0" * 100))
    headers = [(b"Content-Type", content_type)]
    return request(f"content type {content_type[:40]!r}", b"POST", _path(rng), headers, body)


def _charset(image: bytes, rng: random.Random) -> Attack:
    charset = rng.choice(CHARSETS)
    parts = [
        field(rng.choice((b"files", b"\xff\xfe")), image, rng.choice((b"a.jpg", b"\xff-"))),
        field(b"class_name", b"fresh\xff\xfe--\xe4"),
    ]
    headers = [form_type(BOUNDARY, b"; charset=" + charset)]
    return request(f"charset {charset[:20]!r}", b"POST", _path(rng), headers, form(parts))


def _too_much(image: bytes, rng: random.Random) -> Attack:
    """Too many or too long parts, fields, files or part headers."""
    kind = rng.randrange(6)
    parts = {
        0: lambda: [field(b"x", b"")] * 10_000,
        1: lambda: [field(b"files", b"x", b"a.jpg")] * rng.choice((9, 501, 3000)),
        2: lambda: [field(b"class_name", b"x" * rng.choice((65_000, 70_000, 2_000_000)))],
        3: lambda: [(b"X-Long: " + b"y" * rng.choice((4000, 5000, 900_000)), b"")],
        4: lambda: [(b"\r\n".join(b"X-%d: y" % n for n in range(2000)), image)],
        5: lambda: [field(b"file", image, b"a.jpg")] * 3,
    }[kind]()
    return form_request(f"too much {kind}", _path(rng), parts)


def _framing(image: bytes, rng: random.Random) -> Attack:
    """A false Content-Length, or invalid chunks."""
    body = form([field(b"file", image, b"a.jpg"), field(b"files", image, b"a.jpg")])
    path, kind = _path(rng), rng.randrange(8)
    chunked = (b"Transfer-Encoding", b"chunked")
    if kind < 4:
        length = (
            str(len(body) + 500).encode(),
            str(len(body) // 2).encode(),
            b"99999999999999999999999",
            b"-1",
        )[kind]
        headers = [form_type(), (b"Content-Length", length)]
        return request(f"length {length!r}", b"POST", path, headers, body, complete=False)
    pieces = b"".join(
        b"%x\r\n%s\r\n" % (len(body[at : at + 999]), body[at : at + 999])
        for at in range(0, len(body), 999)
    )
    if kind == 4:
        return request("chunked", b"POST", path, [form_type(), chunked], pieces + b"0\r\n\r\n")
    wrong = (
        (b"fffffffff\r\n" + body, [form_type(), chunked]),
        (b"zz\r\n" + pieces, [form_type(), chunked]),
        (pieces, [form_type(), chunked, (b"Content-Length", b"5")]),
    )[kind - 5]
    return request(f"chunks {kind}", b"POST", path, wrong[1], wrong[0], complete=False)


def packed(name: str, data: bytes, rng: random.Random) -> Attack:
    """A body with a Content-Encoding: valid, truncated, not encoded that way at all, or a bomb."""
    encoding = rng.choice((b"gzip", b"deflate", b"x-gzip", b"br", b"gzip, gzip", b"GZIP"))
    body = rng.choice(
        (
            gzip.compress(data),
            gzip.compress(data)[:-9],
            zlib.compress(data),
            zlib.compress(data)[2:-4],
            gzip.compress(data) * 3,
            gzip.compress(bytes(60_000_000), 1),
            data,
        )
    )
    headers = [(b"Content-Type", b"image/jpeg"), (b"Content-Encoding", encoding)]
    return request(f"{encoding!r} {name}", b"POST", _path(rng), headers, body)


def _boundary(image: bytes, rng: random.Random) -> Attack:
    """Wrong boundaries or part headers."""
    whole = form([field(b"file", image, b"a.jpg"), field(b"files", image, b"a.jpg")])
    body = rng.choice(
        (
            whole.replace(BOUNDARY, b"----other"),
            whole[: -len(BOUNDARY) - 20],
            whole[: len(whole) // 3],
            whole.replace(b"\r\n", b"\n"),
            whole.replace(b"form-data; name", b"form-data; nome"),
            whole.replace(b"Content-Disposition", b"Content-\xff\0Disposition"),
            whole.replace(b'name="file"', b"name*=utf-8''%ff%00"),
            whole.replace(b'filename="a.jpg"', b"filename*=UTF-16''%00%d8"),
            whole.replace(b'"a.jpg"', b'"a.jpg'),
            b"x" * 100_000 + whole,
            whole + whole,
            b"--%s--\r\n" % BOUNDARY,
            b"--%s\r\n" % BOUNDARY * 5000,
            b"",
            b"\r\n" * 5000,
            form([(b"", image)]),
            form([(b"Content-Disposition: attachment", image)]),
            form([(b"Content-Transfer-Encoding: base64\r\n" + field(b"file", b"")[0], image)]),
            form([field(b"files", form([field(b"files", image, b"a.jpg")]), b"inner.jpg")]),
            rng.randbytes(2000),
        )
    )
    return request("boundary", b"POST", _path(rng), [form_type()], body)
