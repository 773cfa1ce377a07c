"""Errors that carry their HTTP status, and the one shape in which a client sees them.

Every error that a client can cause is a `ProblemError`. `api.http.problems` renders it as RFC 9457
`application/problem+json`; the command line prints its `detail`.
"""

from collections.abc import Sequence
from http import HTTPStatus


class ProblemError(Exception):
    """An error with a status and a `detail` that tells a person what to do.

    A kind of error that always says the same has its `detail` on the class.
    """

    status = HTTPStatus.BAD_REQUEST
    code = "bad-request"
    detail = ""
    retry_after_seconds: int | None = None
    # Whether the connection is of no more use.
    closes = False

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or self.detail
        super().__init__(self.detail)


class NotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND


class ConflictError(ProblemError):
    """What is asked does not go with how things stand."""

    status = HTTPStatus.CONFLICT


class UnprocessableError(ProblemError):
    """The request can be read, but what it asks cannot be done."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooLargeError(ProblemError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class EmptyImageError(ProblemError):
    code = "empty-image"
    detail = "The file is empty. Send the bytes of a photograph."


class NotAnImageError(ProblemError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "not-an-image"

    def __init__(self, formats: Sequence[str]) -> None:
        super().__init__(
            f"The file is no photograph that this service reads. Send one of: {', '.join(formats)}."
        )


class ImageTooLargeError(TooLargeError):
    code = "image-too-large"

    def __init__(self, width: int, height: int, limit: int) -> None:
        super().__init__(
            f"The picture has {width} x {height} pixels; at most {limit / 1e6:.0f} million are "
            "read. Send a smaller copy."
        )


class TruncatedImageError(UnprocessableError):
    code = "truncated-image"
    detail = "The picture is damaged or cut off and cannot be decoded whole. Send the file again."


class BodyTooLargeError(TooLargeError):
    code = "body-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request is longer than {limit / 2**20:.0f} MiB. Send less at once.")


class MissingFileError(UnprocessableError):
    code = "missing-file"

    def __init__(self, found: Sequence[str]) -> None:
        """`found` says of each field what it holds, as in "text in 'file'"."""
        super().__init__(
            "The form needs one photograph in a file field named 'file' "
            f"(curl: -F file=@apple.jpg); it has {', '.join(found) or 'nothing'}."
        )


class UnreadableCharsetError(ProblemError):
    code = "unreadable-charset"
    detail = "The form names an unknown character set. Leave it out."


class UnsupportedBodyError(ProblemError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported-body"

    def __init__(self, content_type: str) -> None:
        super().__init__(
            "Send the photograph as a multipart form with a field 'file', or as the body itself "
            f"with an image/* content type; this request has {content_type or 'no content type'}."
        )


class ModelUnavailableError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "model-unavailable"
    retry_after_seconds = 5
    detail = "No model is loaded, so nothing can be graded. The service log says why."


class OverloadedError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "overloaded"
    retry_after_seconds = 1
    detail = "More photographs wait to be graded than can be soon. Try this one again in a moment."


class SlowBodyError(ProblemError):
    status = HTTPStatus.REQUEST_TIMEOUT
    code = "slow-body"
    closes = True
    detail = (
        "The request came too slowly and was not read to its end. Send it again, over a better "
        "connection or with a smaller photograph."
    )


class EndingError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "ending"
    retry_after_seconds = 5
    detail = "This process is about to end. Another one answers in its place."


class CatalogUnavailableError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "catalog-unavailable"
    retry_after_seconds = 5
    detail = (
        "The catalog cannot be reached, so nothing was changed. Photographs are graded as before; "
        "try this again in some seconds."
    )
