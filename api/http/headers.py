"""Headers of every response: the request ID, and what browsers may do with it.

No response may be run as a script, framed, or guessed to be of another type.
"""

import re
from collections.abc import Callable

from fastapi import Request, Response

REQUEST_ID = "X-Request-ID"
# Headers that pages of other sites may read, besides those that browsers always show them.
EXPOSED = (REQUEST_ID, "Retry-After", "Allow", "Content-Disposition", "WWW-Authenticate")
# The ID goes into logs, headers and the queue unescaped.
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

CLOSED = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# The front page has inline styles and loads nothing.
FRONT_PAGE = CLOSED.replace("default-src 'none'", "default-src 'none'; style-src 'unsafe-inline'")
# FastAPI's page loads Swagger UI from this CDN and starts it with an inline script.
CDN = "https://cdn.jsdelivr.net"
DOCS = CLOSED.replace(
    "default-src 'none'",
    f"default-src 'none'; script-src 'unsafe-inline' {CDN}; style-src 'unsafe-inline' {CDN}; "
    "img-src 'self' data: https://fastapi.tiangolo.com; connect-src 'self'",
)


# The photo of an ID never changes, but it can be removed.
_CACHED = "private, max-age=86400"


def _headers(policy: str) -> tuple[tuple[bytes, bytes], ...]:
    """The headers with this content security policy, as ASGI takes them."""
    return (
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    )


DEFAULT_HEADERS = _headers(CLOSED)
# By path.
PAGE_HEADERS = {"/": _headers(FRONT_PAGE), "/docs": _headers(DOCS)}


def is_safe_request_id(value: str) -> bool:
    """Whether a client's request ID may be used unchanged."""
    return _SAFE_REQUEST_ID.fullmatch(value) is not None


def cached_jpeg(request: Request, tag: str, make: Callable[[], bytes]) -> Response:
    """The JPEG that `make` returns, or 304 if the browser has the one with this tag."""
    headers = {"ETag": f'"{tag}"', "Cache-Control": _CACHED}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(make(), headers=headers, media_type="image/jpeg")
