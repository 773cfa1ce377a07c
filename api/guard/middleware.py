"""The one look at a request before anything of it is read: key, rate, origin; and its headers."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ProblemError
from api.guard.errors import CrossSiteError, ExposedError, KeyNeededError, ScopeError
from api.guard.exposure import reached_from_outside
from api.guard.headers import security_headers
from api.guard.keys import NO_SCOPE, Keyring
from api.guard.needs import PROBES, Need, least_scope, need_of
from api.problems import answer

if TYPE_CHECKING:  # It takes a while to import, and few deployments want it.
    from api.guard.rate import RateLimit

BEARER = b"bearer "
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="ripeline"'}


@dataclass(frozen=True)
class Rules:
    """What one deployment lets pass. `origins` are the sites whose pages may send requests."""

    keys: Keyring
    origins: Collection[str] = ()
    allow_open: bool = False
    rate: "RateLimit | None" = None


@dataclass
class _Asked:
    """What the headers of a request say that matters here."""

    key: str = ""
    origin: str = ""
    host: str = ""


class Guard:
    """ASGI middleware. What is turned away gets its answer here."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
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
            await answer(error, challenge)(scope, receive, marked)
            return
        await self._app(scope, receive, marked)

    def _verify(self, scope: Scope, path: str) -> None:
        """Raises KeyNeededError, ScopeError, ExposedError, CrossSiteError, TooManyRequestsError."""
        rules, need, asked = self._rules, need_of(scope["method"], path), _read(scope)
        has = rules.keys.scope_of(asked.key) if asked.key else NO_SCOPE
        if rules.rate is not None and path not in PROBES:
            # Of a key that is made up, the address is counted.
            rules.rate.count(scope.get("client"), asked.key if has else "")
        if has < least_scope(need, rules.keys):
            raise ScopeError() if has else KeyNeededError(was_sent=bool(asked.key))
        if has or need in (Need.NOTHING, Need.READ):
            return
        if asked.origin and not self._is_known(asked):
            raise CrossSiteError()
        outside = reached_from_outside(scope.get("server"))
        if need is Need.CHANGE and outside and not rules.allow_open:
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
