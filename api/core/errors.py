"""Errors with an HTTP status, and their response body.

Every error that a client can cause is a `ProblemError`. `api.http.problems` sends it as RFC 9457
`application/problem+json`; commands print its `detail`.
"""

from collections.abc import Sequence
from http import HTTPStatus

from pydantic import BaseModel, Field

# Python's phrases for these differ between versions.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


class Problem(BaseModel):
    """Error response, as problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="Human-readable explanation of what happened and what to do.")
    code: str = Field(description="Stable error code for programs.")
    request_id: str | None = Field(
        default=None,
        description="Value of the `X-Request-ID` response header, for finding the request in the "
        "logs.",
    )


def problem_document(status: int, code: str, detail: str) -> Problem:
    return Problem(
        type=f"urn:ripeline:problem:{code}",
        title=status_title(status),
        status=int(status),
        # Lone surrogates, which JSON input may contain, cannot be encoded in a response.
        detail=detail.encode("utf-8", "replace").decode(),
        code=code,
    )


def internal_error() -> Problem:
    """For an error of the service itself; details are in the log only."""
    return problem_document(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal-error",
        "The service failed on this request. It has been logged; please try again.",
    )


def status_title(status: int) -> str:
    """The standard phrase of an HTTP status."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


class ProblemError(Exception):
    """`detail` tells a person what to do; subclasses with a fixed text set it on the class."""

    status = HTTPStatus.BAD_REQUEST
    code = "bad-request"
    detail = ""
    retry_after_seconds: int | None = None
    # Whether to close the connection.
    closes = False

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or self.detail
        super().__init__(self.detail)


class NotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND


class ConflictError(ProblemError):
    """The request conflicts with the current state."""

    status = HTTPStatus.CONFLICT


class UnprocessableError(ProblemError):
    """The request is well-formed but invalid."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooLargeError(ProblemError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class BodyTooLargeError(TooLargeError):
    code = "body-too-large"
    closes = True  # The rest of the body is not read.

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request is longer than {limit / 2**20:.0f} MiB. Send less at once.")


class MissingFileError(UnprocessableError):
    code = "missing-file"

    def __init__(self, found: Sequence[str]) -> None:
        """`found` describes each field, as in "text in 'file'"."""
        super().__init__(
            "The form needs one photo in a file field named 'file' "
            f"(curl: -F file=@apple.jpg); it has {', '.join(found) or 'nothing'}. A part is a file "
            "if it has a filename or the type of an image."
        )


class UnreadableCharsetError(ProblemError):
    code = "unreadable-charset"
    detail = "The form names an unknown character set. Leave it out."


class UnsupportedBodyError(ProblemError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported-body"

    def __init__(self, content_type: str) -> None:
        super().__init__(
            "Send the photo as a multipart form with a field 'file', or as the body itself "
            f"with an image/* content type; this request has {content_type or 'no content type'}."
        )


class ModelUnavailableError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "model-unavailable"
    retry_after_seconds = 5
    detail = "No model is loaded, so nothing can be graded. The service log says why."


class DamagedModelFilesError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "model-files-damaged"
    detail = (
        "The files of the current model are damaged, and this needs them; the service log says "
        "which. Photos are graded as before. Promote another version (GET /models lists "
        "them), or restore a backup."
    )


class NotFiniteError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "not-finite"
    detail = (
        "The model gave no usable answer for this photo: not all of its numbers are finite. Put "
        "another version in use (GET /models lists them), or restart the service."
    )


class OverloadedError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "overloaded"
    retry_after_seconds = 1
    detail = "Too many photos are waiting to be graded. Try this one again in a moment."


class SlowBodyError(ProblemError):
    status = HTTPStatus.REQUEST_TIMEOUT
    code = "slow-body"
    closes = True
    detail = (
        "The request came too slowly and was not read to its end. Send it again, over a better "
        "connection or with a smaller photo."
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
        "The catalog cannot be used, so nothing was changed. Photos are graded as before. Try "
        "this again in a few seconds; GET /status says what is wrong."
    )


class StorageUnavailableError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "storage-unavailable"
    retry_after_seconds = 10
    detail = (
        "The store of photos and models cannot be reached, read or written. Photos are graded as "
        "before. Send this again in a minute: whatever was already stored is recognised. If it "
        "keeps failing, check STORAGE_URL and the service log."
    )


class DiskFullError(ProblemError):
    status = HTTPStatus.INSUFFICIENT_STORAGE
    code = "disk-full"
    detail = (
        "The service has no disk space left to store this. Photos are graded as before. Free "
        "some space, then send it again: whatever was already stored is recognised."
    )


class ModelCacheUnavailableError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "model-cache-unavailable"
    retry_after_seconds = 10
    detail = (
        "This machine cannot write its copies of the model versions. Photos are graded as before. "
        "Look at the disk of RIPELINE_STATE_DIR, and at the service log."
    )


def each_its_own(error: Exception, count: int) -> list[Exception]:
    """`count` errors alike, with `error` as their cause; `error` itself if it is needed once.

    Every `raise` adds to the traceback of its error, so one error that several threads or tasks
    raise would show all of them.
    """
    return [error] if count == 1 else [_alike(error) for _ in range(count)]


def _alike(error: Exception) -> Exception:
    # Not by its constructor, whose parameters may be others than `args`.
    kind = type(error)
    alike: Exception = kind.__new__(kind, *error.args)
    alike.args = error.args
    if isinstance(error, OSError) and isinstance(alike, OSError):
        alike.errno, alike.strerror = error.errno, error.strerror
        alike.filename = error.filename
    vars(alike).update(vars(error))
    alike.__cause__ = error
    return alike
