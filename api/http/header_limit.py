"""Uvicorn's HTTP protocol with a limit on headers, and on bytes between the parts of a body.

Uvicorn's parser buffers the request line and headers, however long they get.
"""

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.core.errors import ProblemError
from api.http.problems import problem_response

MAX_HEADER_BYTES = 64 * 2**10


class UnreadableRequestError(ProblemError):
    code = "unreadable-request"
    detail = "This is no HTTP request that can be read."


class HeadersTooLargeError(ProblemError):
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    code = "head-too-large"
    detail = (
        f"The address and the headers are longer than {MAX_HEADER_BYTES // 2**10} KiB. Send less."
    )


class HeaderLimitProtocol(HttpToolsProtocol):
    """Closes a connection after MAX_HEADER_BYTES that are neither body nor the end of a request.

    It checks after each read, so a request may exceed the limit by one read.
    """

    _bytes_without_body = 0

    def data_received(self, data: bytes) -> None:
        self._bytes_without_body += len(data)
        super().data_received(data)
        if self._bytes_without_body > MAX_HEADER_BYTES and not self.transport.is_closing():
            self._refuse(HeadersTooLargeError())

    def on_body(self, body: bytes) -> None:
        self._bytes_without_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._bytes_without_body = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(UnreadableRequestError())

    def _refuse(self, error: ProblemError) -> None:
        response = problem_response(error)
        head = [STATUS_LINE[response.status_code], b"connection: close\r\n"]
        head += [b"%s: %s\r\n" % header for header in response.raw_headers]
        self.transport.write(b"".join([*head, b"\r\n", bytes(response.body)]))
        self.transport.close()
