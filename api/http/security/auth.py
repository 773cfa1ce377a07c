"""Before anything of a request is read: may it be made, and by whom? Marks every answer."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core.api_keys import NO_SCOPE, ApiKeys
from api.core.errors import ProblemError
from api.http.browser_headers import security_headers
from api.http.problems import problem_response
from api.http.security.permissions import PROBES, Permission, least_scope, permission_of
from api.settings import Settings

if TYPE_CHECKING:  # It takes a while to import, and few deployments want it.
    from api.http.security.rate_limit import RateLimit

BEARER = b"bearer "
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="ripeline"'}
HOW = "as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'"


class KeyNeededError(ProblemError):
    status = HTTPStatus.UNAUTHORIZED
    code = "key-needed"

    def __init__(self, was_sent: bool) -> None:
        super().__init__(
            f"The service does not know this API key. Send one of its keys {HOW}."
            if was_sent
            else f"This needs an API key. Send it {HOW}."
        )


class ScopeError(ProblemError):
    status = HTTPStatus.FORBIDDEN
    code = "scope-too-small"
    detail = (
        "This API key may grade and read, but not change anything. Send one of "
        f"RIPELINE_CHANGE_KEYS {HOW}."
    )


class ExposedError(ProblemError):
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
    """Why the service must not listen as the settings say; empty where it may."""
    if settings.allow_open or settings.has_keys or _is_loopback(settings.host):
        return ""
    return (
        f"RIPELINE_HOST={settings.host} can be reached from other machines, where anybody could "
        "change data and models. Set RIPELINE_CHANGE_KEYS (openssl rand -hex 32 makes a key), or "
        "RIPELINE_ALLOW_OPEN=1 if that is meant."
    )


def reached_from_outside(server: tuple[str, int | None] | None) -> bool:
    """Of the end of a connection on this machine, as ASGI gives it; a socket file is inside."""
    address = _address(server[0]) if server else None
    return address is not None and not address.is_loopback


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


@lru_cache(maxsize=256)
def _address(host: str) -> IPv4Address | IPv6Address | None:
    """None for a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@dataclass(frozen=True)
class SecurityPolicy:
    """What one deployment lets pass. `origins` are the sites whose pages may send requests."""

    keys: ApiKeys
    origins: Collection[str] = ()
    allow_open: bool = False
    rate: "RateLimit | None" = None


@dataclass
class _Asked:
    """What the headers of a request say that matters here."""

    key: str = ""
    origin: str = ""
    host: str = ""


class AuthMiddleware:
    """ASGI middleware. What is turned away gets its answer here."""

    def __init__(self, app: ASGIApp, rules: SecurityPolicy) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        headers = security_headers(path)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        try:
            self._verify(scope, path)
        except ProblemError as error:
            challenge = CHALLENGE if isinstance(error, KeyNeededError) else {}
            await problem_response(error, challenge)(scope, receive, marked)
            return
        await self._app(scope, receive, marked)

    def _verify(self, scope: Scope, path: str) -> None:
        """Raises KeyNeededError, ScopeError, ExposedError, CrossSiteError, TooManyRequestsError."""
        rules, need, asked = self._rules, permission_of(scope["method"], path), _read(scope)
        has = rules.keys.scope_of(asked.key) if asked.key else NO_SCOPE
        if rules.rate is not None and path not in PROBES:
            # Of a key that is made up, the address is counted.
            rules.rate.count(scope.get("client"), asked.key if has else "")
        if has < least_scope(need, rules.keys):
            raise ScopeError() if has else KeyNeededError(was_sent=bool(asked.key))
        if has or need in (Permission.NOTHING, Permission.READ):
            return
        if asked.origin and not self._is_known(asked):
            raise CrossSiteError()
        outside = reached_from_outside(scope.get("server"))
        if need is Permission.CHANGE and outside and not rules.allow_open:
            raise ExposedError()

    def _is_known(self, asked: _Asked) -> bool:
        """Whether a page of this service, or of a site that may, sent the request."""
        own = asked.origin.partition("://")[2] == asked.host
        return own or asked.origin in self._rules.origins


def _read(scope: Scope) -> _Asked:
    asked = _Asked()
    for name, value in scope["headers"]:
        if name == b"authorization" and value[: len(BEARER)].lower() == BEARER:
            asked.key = value[len(BEARER) :].decode("latin-1").strip()
        elif name == b"x-api-key":
            asked.key = asked.key or value.decode("latin-1").strip()
        elif name == b"origin":
            asked.origin = value.decode("latin-1")
        elif name == b"host":
            asked.host = value.decode("latin-1")
    return asked
