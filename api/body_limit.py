"""Counting the bytes of a request as they come, so that no body can fill memory or disk."""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooLargeError


class BodyLimit:
    """ASGI middleware: reading more than `limit` bytes of a body raises BodyTooLargeError.

    `limits` gives some paths another limit. It raises inside the
    application, whose handlers turn it into an answer. The rest of the body is read and thrown away
    first, up to as much again: a client that is still sending would otherwise see a broken
    connection in place of the answer.
    """

    def __init__(
        self, app: ASGIApp, limit: int, limits: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        self._app = app
        self._limit = limit
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope)
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        too_long = announced.isdigit() and int(announced) > limit
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received <= limit and not too_long:
                return message
            while message.get("more_body") and received <= 2 * limit:
                message = await receive()
                received += len(message.get("body", b""))
            raise BodyTooLargeError(limit)

        await self._app(scope, counted, send)

    def _limit_of(self, scope: Scope) -> int:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return self._limits.get(path, self._limit)
