"""Authentication and authorization of requests, before any of the body is read."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core.api_keys import NO_SCOPE, ApiKeys, KeyScope
from api.core.errors import ProblemError
from api.http.headers import DEFAULT_HEADERS, PAGE_HEADERS
from api.http.problems import problem_response
from api.http.root_path import route_path
from api.http.security.permissions import (
    CHANGES,
    PROBES,
    Permission,
    required_permission,
    required_scope,
)
from api.settings import Settings

if TYPE_CHECKING:  # Slow to import, and few deployments set a rate limit.
    from api.http.security.rate_limit import RateLimit

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="ripeline"'}
# What a key with a limited scope may do.
ALLOWED = {
    KeyScope.PREDICT: "only grade and read",
    KeyScope.DATA: "grade, read and change the data, but not the models",
    KeyScope.MODELS: "grade, read and change the models, but not the data",
}
# Bounds the hashing. A platform and a proxy in front may add credentials to ours.
MAX_CREDENTIALS = 4
HOW = "as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'"


class KeyNeededError(ProblemError):
    status = HTTPStatus.UNAUTHORIZED
    code = "key-needed"

    def __init__(self, key_was_sent: bool) -> None:
        super().__init__(
            f"The service does not know this API key. Send one of its keys {HOW}."
            if key_was_sent
            else f"This needs an API key. Send it {HOW}."
        )


class InsufficientScopeError(ProblemError):
    status = HTTPStatus.FORBIDDEN
    code = "scope-too-small"

    def __init__(self, needed: Permission, key_scope: KeyScope) -> None:
        settings = "RIPELINE_CHANGE_KEYS"
        if needed is not Permission.CHANGE:
            settings = f"RIPELINE_{needed.name}_KEYS or {settings}"
        super().__init__(
            f"This needs an API key with the scope '{needed.value}'; this key may "
            f"{ALLOWED[key_scope]}. Send one of {settings} {HOW}."
        )


class ChangesClosedError(ProblemError):
    status = HTTPStatus.FORBIDDEN
    code = "changes-are-closed"
    detail = (
        "This address can be reached from other machines and no API key is set, so nothing can be "
        "changed through it. Set RIPELINE_CHANGE_KEYS for the service, or RIPELINE_ALLOW_OPEN=1 if "
        "everybody may."
    )


class CrossSiteError(ProblemError):
    status = HTTPStatus.FORBIDDEN
    code = "cross-site"
    detail = (
        "A page of another site sent this request from a user's browser. If that is wanted, name "
        "the site in RIPELINE_CORS_ORIGINS, or send an API key."
    )


def check_bind_address(settings: Settings) -> str:
    """Why the service must not listen on the configured address; empty if it may."""
    address = _parse_address(settings.host)
    is_loopback = settings.host == "localhost" or (address is not None and address.is_loopback)
    if settings.allow_open or settings.has_keys or is_loopback:
        return ""
    return (
        f"RIPELINE_HOST={settings.host} can be reached from other machines, where anybody could "
        "change data and models. Set RIPELINE_CHANGE_KEYS (openssl rand -hex 32 makes a key), or "
        "RIPELINE_ALLOW_OPEN=1 if that is meant."
    )


def is_public_address(server: tuple[str, int | None] | None) -> bool:
    """Whether other machines can reach `server`, the local end of a connection in ASGI.

    They cannot reach a Unix socket, which has no address.
    """
    address = _parse_address(server[0]) if server else None
    return address is not None and not address.is_loopback


@lru_cache(maxsize=256)
def _parse_address(host: str) -> IPv4Address | IPv6Address | None:
    """None for a host name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@dataclass(frozen=True)
class SecurityPolicy:
    """What a deployment allows. `origins` are sites whose pages may send requests."""

    keys: ApiKeys
    origins: Collection[str]
    allow_open: bool
    rate_limit: "RateLimit | None"


class AuthMiddleware:
    """Answers requests that are not allowed, and adds security headers to every response."""

    def __init__(self, app: ASGIApp, policy: SecurityPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = route_path(scope)
        headers = PAGE_HEADERS.get(path, DEFAULT_HEADERS)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        try:
            self._authorize(scope, path)
        except ProblemError as error:
            challenge = CHALLENGE if isinstance(error, KeyNeededError) else {}
            await problem_response(error, challenge)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _authorize(self, scope: Scope, path: str) -> None:
        """Raises KeyNeededError, InsufficientScopeError, ChangesClosedError, CrossSiteError,
        TooManyRequestsError.
        """
        policy, headers = self._policy, Headers(scope=scope)
        key, key_scope = _sent_key(headers, policy.keys)
        needed = required_permission(scope["method"], path)
        if policy.rate_limit is not None and path not in PROBES:
            # Requests with an unknown key count for their address.
            policy.rate_limit.count(scope.get("client"), key if key_scope else "")
        if required_scope(needed, policy.keys) not in key_scope:
            if key_scope:
                raise InsufficientScopeError(needed, key_scope)
            raise KeyNeededError(key_was_sent=bool(key))
        if key_scope or needed in (Permission.NONE, Permission.READ):
            return
        # From here on without a key: a browser could be made to send this request.
        origin = headers.get("origin", "")
        is_own_page = origin.partition("://")[2] == headers.get("host", "")
        if origin and not is_own_page and origin not in policy.origins:
            raise CrossSiteError()
        is_public = is_public_address(scope.get("server"))
        if needed in CHANGES and is_public and not policy.allow_open:
            raise ChangesClosedError()


def _sent_key(headers: Headers, keys: ApiKeys) -> tuple[str, KeyScope]:
    """The API key of a request and its scope; empty without one.

    A platform in front may send a bearer token of its own beside our key, or another X-API-Key
    beside ours as a bearer token. Of two known keys the one of the larger scope counts.
    """
    found = "", NO_SCOPE
    sent = headers.getlist("x-api-key")
    for value in headers.getlist("authorization"):
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "bearer":
            sent.append(token)
    for key in (key.strip() for key in sent[:MAX_CREDENTIALS]):
        scope = keys.scope_of(key) if key else NO_SCOPE
        if key and (not found[0] or (scope | found[1]) > found[1]):
            found = key, scope
    return found
