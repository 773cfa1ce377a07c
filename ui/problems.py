"""The one way in which a call to the API fails, in words for the person at the screen."""

from http import HTTPStatus

import httpx

_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
# What the API says of a key that is missing, unknown, or may not change anything.
_LOCKED = {"key-needed", "scope-too-small"}


class ApiProblem(Exception):  # noqa: N818 - it is shown as a message, not as an error's name
    """A call that brought no usable answer.

    `title` says what is wrong, `detail` what to do about it. `passing` tells that the same call may
    succeed later; where it is false, the request itself has to change.
    """

    def __init__(self, title: str, detail: str, *, passing: bool) -> None:
        super().__init__(f"{title}. {detail}")
        self.title = title
        self.detail = detail
        self.passing = passing


def unreachable(address: str) -> ApiProblem:
    """Nothing listens at `address`."""
    return ApiProblem(
        "The grading service is not answering",
        f"Nothing answers at `{address}`. Start it with `make run`, or set `RIPELINE_API_URL` "
        "to the address where it runs.",
        passing=True,
    )


def too_slow(address: str) -> ApiProblem:
    """The service at `address` took longer than this app waits."""
    return ApiProblem(
        "The grading service is taking too long",
        f"`{address}` gave no answer in time. It may be busy or still starting; try again shortly.",
        passing=True,
    )


def not_an_address(address: str) -> ApiProblem:
    """`address` cannot be called at all."""
    return ApiProblem(
        "The address of the grading service is not valid",
        f"`{address}` is not an address that can be called. Set `RIPELINE_API_URL` to one like "
        "`http://127.0.0.1:8000`.",
        passing=True,
    )


def not_understood(address: str) -> ApiProblem:
    """The answer came, but is not one that this API gives."""
    return ApiProblem(
        "Something other than the grading service answered",
        f"The answer from `{address}` could not be read. Check that `RIPELINE_API_URL` leads to a "
        "Ripeline API of the same version as this app, and that no proxy answers in its place.",
        passing=True,
    )


def locked(address: str) -> ApiProblem:
    """The service wants a key that this app does not have."""
    return ApiProblem(
        "The grading service does not let this app in",
        f"`{address}` asks for an API key. Set `RIPELINE_API_KEY` for the app to one of the "
        "service's `RIPELINE_CHANGE_KEYS`.",
        passing=True,
    )


def refused(response: httpx.Response, address: str) -> ApiProblem:
    """Read an error answer: in the API's own words, or where it has none, in plain ones."""
    status = response.status_code
    body = _json_object(response)
    if body.get("code") in _LOCKED:
        return locked(address)
    title, detail = body.get("title"), body.get("detail")
    if isinstance(title, str) and isinstance(detail, str):
        passing = status in _TRANSIENT or status >= 500
        return ApiProblem(title, detail, passing=passing)
    if status < 500:
        return not_understood(address)
    return ApiProblem(
        "The grading service is in trouble",
        f"`{address}` answered with status {status}. It may be restarting; try again shortly. "
        "Its log says more.",
        passing=True,
    )


def _json_object(response: httpx.Response) -> dict[str, object]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
