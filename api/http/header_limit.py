"""Uvicorn's HTTP protocol with limits on headers, and with an answer to every request.

Uvicorn's parser buffers the request line and headers, however long they get, and waits for them
forever. The limit on length also covers bytes between the chunks of a body. Uvicorn drops a request
whose client has closed its side of the connection, even if it was sent in full, and closes a
connection while its client is still sending.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.core.errors import ProblemError
from api.http.problems import problem_response
from api.settings import get_settings

MAX_HEADER_BYTES = 64 * 2**10
# How much a client may go on sending after it was refused, and for how long. If its bytes met a
# closed connection, its system would discard the answer unread.
LINGER_BYTES = 8 * 2**20
LINGER_SECONDS = 2.0


class UnreadableRequestError(ProblemError):
    code = "unreadable-request"
    detail = "This is not a readable HTTP request."


class CutOffRequestError(ProblemError):
    code = "cut-off-request"
    detail = "The request ended before all of it had arrived. Send it again."


class HeadersTooLargeError(ProblemError):
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    code = "head-too-large"
    detail = (
        f"The address and the headers are longer than {MAX_HEADER_BYTES // 2**10} KiB. Send less."
    )


class SlowHeadersError(ProblemError):
    status = HTTPStatus.REQUEST_TIMEOUT
    code = "slow-head"
    detail = "The address and the headers of the request arrived too slowly. Send it again."


class _AnsweringTransport:
    """The methods of a connection that uvicorn answers with, and another way to close it."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write, self.is_closing = transport.write, transport.is_closing
        self.close = close


class HeaderLimitProtocol(HttpToolsProtocol):
    """Closes a connection after MAX_HEADER_BYTES that are neither body nor the end of a request,
    and after RIPELINE_BODY_SECONDS without the end of the headers.

    It checks the length after each read, so a request may exceed the limit by one read.
    """

    _bytes_without_body = 0
    _has_head = False
    _head_timer: asyncio.TimerHandle | None = None
    # Whether bytes that still arrive are dropped.
    _is_refused = False
    _dropped_bytes = 0
    _answering: _AnsweringTransport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._answering = _AnsweringTransport(transport, self._close_after_answer)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        self._answering.close = self.transport.close  # Leaves no reference cycle.
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            self._dropped_bytes += len(data)
            if self._dropped_bytes > LINGER_BYTES:
                self.transport.close()
            return
        if not self._has_head and self._head_timer is None:
            self._start_head_timer()
        self._bytes_without_body += len(data)
        super().data_received(data)
        if self._bytes_without_body > MAX_HEADER_BYTES and not self._is_closing():
            self._refuse(HeadersTooLargeError())

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether the connection stays open: until complete requests are answered."""
        self._stop_head_timer()
        if self._is_closing():
            return False
        last = self.cycle
        is_answered = last is None or last.response_complete
        if self._bytes_without_body or (not is_answered and last.more_body):
            if is_answered or not (self.pipeline or last.response_started):
                self._refuse(CutOffRequestError())
            return False
        if not is_answered:
            last.keep_alive = False
        return not is_answered

    def on_headers_complete(self) -> None:
        self._has_head = True
        self._stop_head_timer()
        super().on_headers_complete()
        self.cycle.transport = self._answering  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        self._bytes_without_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._bytes_without_body = 0
        self._has_head = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if self._is_refused:
            self.server_state.total_requests += 1
        else:
            super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(UnreadableRequestError())

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(get_settings().body_seconds, self._head_is_late)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        if self._is_closing():
            return
        if self._bytes_without_body:
            self._refuse(SlowHeadersError())
        else:  # Browsers open connections before they need them.
            self.transport.close()

    def _refuse(self, error: ProblemError) -> None:
        response = problem_response(error)
        head = [STATUS_LINE[response.status_code], b"connection: close\r\n"]
        head += [b"%s: %s\r\n" % header for header in response.raw_headers]
        self.transport.write(b"".join([*head, b"\r\n", bytes(response.body)]))
        self._linger()

    def _close_after_answer(self) -> None:
        """Close at once, unless the request was answered before all of it had arrived."""
        if self.cycle.more_body and not self.transport.is_closing():
            self._linger()
        else:
            self.transport.close()

    def _linger(self) -> None:
        self._is_refused = True
        self.flow.resume_reading()
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _is_closing(self) -> bool:
        return self._is_refused or self.transport.is_closing()
