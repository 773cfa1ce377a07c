"""Decompresses request bodies in gzip or deflate (Content-Encoding) as they arrive."""

import zlib
from collections.abc import AsyncIterator
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core.errors import ProblemError

# zlib's window bits for each encoding: with a gzip header, or with a zlib header.
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
# Some clients send "deflate" without zlib's header, whose first byte ends in 8.
_WITHOUT_HEADER, _ZLIB = -15, 8
CHUNK_BYTES = 64 * 2**10


class UnsupportedEncodingError(ProblemError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported-encoding"
    closes = True

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"The request's body has the content encoding '{encoding}'. Send it unencoded, or "
            "compressed with gzip or deflate."
        )


class BrokenEncodingError(ProblemError):
    code = "broken-encoding"
    closes = True

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"The request's body is not valid {encoding}, as its Content-Encoding says. Send it "
            "again, or unencoded."
        )


class DecompressionMiddleware:
    """Decompresses bodies in pieces of at most CHUNK_BYTES, so that the application's limits apply
    to the decompressed body.

    Reading the body raises UnsupportedEncodingError or BrokenEncodingError in the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = MutableHeaders(raw=list(scope["headers"]))
            encoding = headers.get("content-encoding", "").strip().lower()
            if encoding not in ("", "identity"):
                del headers["content-encoding"], headers["content-length"]
                scope["headers"] = headers.raw
                receive = _unpacking(receive, encoding)
        await self._app(scope, receive, send)


def _unpacking(receive: Receive, encoding: str) -> Receive:
    messages = _unpacked(receive, encoding)

    async def receive_unpacked() -> Message:
        async for message in messages:
            return message
        return await receive()  # Waits for the client to disconnect.

    return receive_unpacked


async def _unpacked(receive: Receive, encoding: str) -> AsyncIterator[Message]:
    if encoding not in _WINDOWS:
        raise UnsupportedEncodingError(encoding)
    unpacking = None
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            yield message
            return
        packed, more = message.get("body", b""), message.get("more_body", False)
        is_pending = False
        while packed or is_pending:
            if unpacking is None or unpacking.eof:  # A gzip file may have several members.
                is_raw = encoding == "deflate" and packed[0] & 15 != _ZLIB
                window = _WITHOUT_HEADER if is_raw else _WINDOWS[encoding]
                unpacking = zlib.decompressobj(window)
            try:
                body = unpacking.decompress(packed, CHUNK_BYTES)
            except zlib.error as error:
                raise BrokenEncodingError(encoding) from error
            packed = unpacking.unused_data or unpacking.unconsumed_tail
            is_pending = len(body) == CHUNK_BYTES and not unpacking.eof
            yield {"type": "http.request", "body": body, "more_body": True}
    if unpacking is not None and not unpacking.eof:
        raise BrokenEncodingError(encoding)
    yield {"type": "http.request", "body": b"", "more_body": False}
