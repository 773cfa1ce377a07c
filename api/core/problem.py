"""The body of every error, RFC 9457 `application/problem+json`, as a value."""

from http import HTTPStatus

from pydantic import BaseModel, Field

# Python's own phrases for these changed between versions.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


class Problem(BaseModel):
    """What every error looks like."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What happened and what to do, for people.")
    code: str = Field(description="Stable, for programs.")
    request_id: str | None = Field(
        default=None, description="The X-Request-ID of the request, to find it in the logs."
    )


def problem_document(status: int, code: str, detail: str) -> Problem:
    """`code` is stable for programs, `detail` is for people."""
    return Problem(
        type=f"urn:ripeline:problem:{code}",
        title=status_title(status),
        status=int(status),
        # Halves of characters, which JSON can carry here, cannot be sent back.
        detail=detail.encode("utf-8", "replace").decode(),
        code=code,
    )


def internal_error() -> Problem:
    """What clients see of a fault of ours; the log has the rest."""
    return problem_document(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal-error",
        "The service failed on this request. It has been logged; please try again.",
    )


def status_title(status: int) -> str:
    """The standard phrase of an HTTP status."""
    return _TITLES.get(status) or HTTPStatus(status).phrase
