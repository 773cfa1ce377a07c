"""Uvicorn's protocol, with an end to what may come before a body, and between its parts.

The parser keeps the line of a request and its headers whole, however long they become.
"""

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.core.errors import ProblemError
from api.http.problems import problem_response

MOST_BYTES = 64 * 2**10


class UnreadableRequestError(ProblemError):
    code = "unreadable-request"
    detail = "This is no HTTP request that can be read."


class HeadTooLargeError(ProblemError):
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    code = "head-too-large"
    detail = f"The address and the headers are longer than {MOST_BYTES // 2**10} KiB. Send less."


class HeaderLimitProtocol(HttpToolsProtocol):
    """Closes a connection that sends more than MOST_BYTES, and the rest of one read, without any
    of it being part of a body or the end of a request."""

    _fruitless = 0

    def data_received(self, data: bytes) -> None:
        self._fruitless += len(data)
        super().data_received(data)
        if self._fruitless > MOST_BYTES and not self.transport.is_closing():
            self._refuse(HeadTooLargeError())

    def on_body(self, body: bytes) -> None:
        self._fruitless = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._fruitless = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(UnreadableRequestError())

    def _refuse(self, error: ProblemError) -> None:
        said = problem_response(error)
        head = [STATUS_LINE[said.status_code], b"connection: close\r\n"]
        head += [b"%s: %s\r\n" % header for header in said.raw_headers]
        self.transport.write(b"".join([*head, b"\r\n", bytes(said.body)]))
        self.transport.close()
