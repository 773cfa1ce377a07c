"""What browsers are told of every answer: nothing in it is to be run, framed or guessed at."""

CLOSED = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# The landing page has its style in it; it loads nothing.
LANDING = CLOSED.replace("default-src 'none'", "default-src 'none'; style-src 'unsafe-inline'")
# FastAPI's page loads Swagger UI from this network, and starts it by a script of its own.
CDN = "https://cdn.jsdelivr.net"
DOCS = CLOSED.replace(
    "default-src 'none'",
    f"default-src 'none'; script-src 'unsafe-inline' {CDN}; style-src 'unsafe-inline' {CDN}; "
    "img-src 'self' data: https://fastapi.tiangolo.com; connect-src 'self'",
)

Headers = tuple[tuple[bytes, bytes], ...]


def _headers(policy: str) -> Headers:
    return (
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    )


USUAL = _headers(CLOSED)
PAGES = {"/": _headers(LANDING), "/docs": _headers(DOCS)}


def security_headers(path: str) -> Headers:
    """As ASGI wants them, for the answer at `path`."""
    return PAGES.get(path, USUAL)
