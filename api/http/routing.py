"""How paths find their endpoint: names as parts of a path, and routes that FastAPI stays out of."""

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.types import Receive, Scope, Send

# Paths of their own: a method that they do not take is not for something of that name.
NO_NAMES = ("compare", "history", "rollback", "relabel", "remove")


class _Name(StringConvertor):
    regex = rf"(?!(?:{'|'.join(NO_NAMES)})(?:/|$))[^/]+"


register_url_convertor("name", _Name())
VERSION = "{version:name}"
IMAGE_ID = "{image_id:name}"


class DirectRoute(APIRoute):
    """For an endpoint that reads the request itself and takes nothing else but parameters of the
    query, all of which have defaults.

    FastAPI looks for parameters, body and dependencies anew at every request, a tenth of a
    millisecond of the processor after a forward pass. Without a query there is none to be found.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"] or scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        response = await self.endpoint(Request(scope, receive, send))
        await response(scope, receive, send)
