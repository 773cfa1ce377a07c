"""HTTP requests as bytes, so that any part can be invalid."""

from collections.abc import Iterable
from dataclasses import dataclass

BOUNDARY = b"----edge"
Part = tuple[bytes, bytes]
Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class Attack:
    """A request; `name` describes it in failures. `complete` is false if the server may wait for
    more: the client then closes its side, and must still get a response.
    """

    name: str
    data: bytes
    complete: bool = True


def request(
    name: str,
    method: bytes,
    path: bytes,
    headers: Iterable[Header] = (),
    body: bytes = b"",
    *,
    complete: bool = True,
) -> Attack:
    """A valid request; `headers` replace the default ones."""
    sent = list(headers)
    names = {header.lower() for header, _ in sent}
    defaults = [
        (b"Host", b"127.0.0.1"),
        (b"Connection", b"close"),
        (b"Content-Length", str(len(body)).encode()),
    ]
    if b"transfer-encoding" in names:
        defaults.pop()
    sent += [(header, value) for header, value in defaults if header.lower() not in names]
    lines = b"".join(b"%s: %s\r\n" % header for header in sent)
    return Attack(name, b"%s %s HTTP/1.1\r\n%s\r\n%s" % (method, path, lines, body), complete)


def form(parts: Iterable[Part], boundary: bytes = BOUNDARY) -> bytes:
    """A multipart body; a part is its header lines and its content."""
    body = b"".join(
        b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary, head, content) for head, content in parts
    )
    return body + b"--%s--\r\n" % boundary


def field(name: bytes, content: bytes, filename: bytes | None = None) -> Part:
    ending = b"" if filename is None else b'; filename="%s"' % filename
    return b'Content-Disposition: form-data; name="%s"%s' % (name, ending), content


def form_type(boundary: bytes = BOUNDARY, more: bytes = b"") -> Header:
    return b"Content-Type", b"multipart/form-data; boundary=" + boundary + more


def form_request(name: str, path: bytes, parts: Iterable[Part]) -> Attack:
    return request(name, b"POST", path, [form_type()], form(parts))
