"""A time for every body, so that clients who send a byte now and then cannot fill the service."""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import SlowBodyError

BYTES_A_SECOND = 16 * 2**10


class SlowBody:
    """ASGI middleware: a body that comes too slowly raises SlowBodyError where it is read.

    It may take `seconds`, and one more for every 16 KiB that came: a long upload over a poor line
    goes through.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        latest = time.monotonic() + self._seconds
        whole = False

        async def timed() -> Message:
            nonlocal latest, whole
            if whole:  # What comes now is that the client goes away.
                return await receive()
            try:
                async with asyncio.timeout(latest - time.monotonic()):
                    message = await receive()
            except TimeoutError:
                raise SlowBodyError() from None
            latest += len(message.get("body", b"")) / BYTES_A_SECOND
            whole = not message.get("more_body", False)
            return message

        await self._app(scope, timed, send)
