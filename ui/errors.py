"""The error of a failed call to the API, with a message for the person at the screen."""

from http import HTTPStatus

import httpx
from plain_text import as_markdown

# The API's advice is for programs; the app has a checkbox for it.
_NEW_CLASS = "send it again with new_class=true (in a command: --new-class)"
_RETRYABLE = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
# The API's codes for a missing or unknown key, and for one that may not do this.
_KEY_NEEDED, _SCOPE_TOO_SMALL = "key-needed", "scope-too-small"


class ApiError(Exception):
    """A call that returned no usable answer.

    `title` says what is wrong, `detail` what to do about it. If `retryable`, the same call may
    succeed later; otherwise the request has to change. `code` is the API's, or empty.
    """

    def __init__(
        self, title: str, detail: str, *, retryable: bool, code: str = "", from_api: bool = False
    ) -> None:
        super().__init__(f"{title}. {detail}")
        self.title = title
        self.detail = detail
        self.retryable = retryable
        self.code = code
        self._from_api = from_api

    @property
    def markdown(self) -> str:
        """The title in bold, and the detail."""
        return self.markdown_with(self.title)

    def markdown_with(self, title: str) -> str:
        """The detail under another title. The API's detail is escaped, since it may quote a
        client's text."""
        detail = as_markdown(self.detail) if self._from_api else self.detail
        return f"**{as_markdown(title)}**\n\n{detail}"


def unreachable(address: str) -> ApiError:
    return ApiError(
        "The grading service is not answering",
        f"Nothing answers at `{address}`. Start it with `make run`, or set `RIPELINE_API_URL` "
        "to the address where it runs.",
        retryable=True,
    )


def timed_out(address: str) -> ApiError:
    return ApiError(
        "The grading service is taking too long",
        f"`{address}` gave no answer in time. It may be busy or still starting; try again shortly.",
        retryable=True,
    )


def invalid_address(address: str) -> ApiError:
    return ApiError(
        "The address of the grading service is not valid",
        f"`{address}` is not an address that can be called. Set `RIPELINE_API_URL` to one like "
        "`http://127.0.0.1:8000`.",
        retryable=True,
    )


def unreadable_answer(address: str) -> ApiError:
    """The error of a response that this API would not give."""
    return ApiError(
        "Something other than the grading service answered",
        f"The answer from `{address}` could not be read. Check that `RIPELINE_API_URL` leads to a "
        "Ripeline API of the same version as this app, and that no proxy answers in its place.",
        retryable=True,
    )


def key_required(address: str) -> ApiError:
    return ApiError(
        "The grading service does not let this app in",
        f"`{address}` asks for an API key. Set `RIPELINE_API_KEY` for the app to one of the "
        "service's `RIPELINE_CHANGE_KEYS`.",
        retryable=True,
    )


def scope_too_small(detail: str) -> ApiError:
    """`detail` is the API's, which names the scope."""
    return ApiError(
        "This app is not allowed to do that",
        f"{detail} The app sends the key in `RIPELINE_API_KEY`.",
        retryable=True,
    )


def from_response(response: httpx.Response, address: str) -> ApiError:
    """The error of an unsuccessful response, in the API's words if it has any."""
    status = response.status_code
    body = _json_object(response)
    if body.get("code") == _KEY_NEEDED:
        return key_required(address)
    title, detail = body.get("title"), body.get("detail")
    if body.get("code") == _SCOPE_TOO_SMALL:
        return scope_too_small(str(detail))
    if isinstance(title, str) and isinstance(detail, str):
        retryable = status in _RETRYABLE or status >= 500
        code = str(body.get("code", ""))
        detail = detail.replace(_NEW_CLASS, "tick that it is a class of its own")
        return ApiError(title, detail, retryable=retryable, code=code, from_api=True)
    if status < 500:
        return unreadable_answer(address)
    return ApiError(
        "The grading service is in trouble",
        f"`{address}` answered with status {status}. It may be restarting; try again shortly. "
        "Its log says more.",
        retryable=True,
    )


def _json_object(response: httpx.Response) -> dict[str, object]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
