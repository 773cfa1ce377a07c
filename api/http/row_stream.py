"""Responses of many rows, streamed as they become ready: one JSON document, or a row per line."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing

from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

NDJSON = "application/x-ndjson"
Rows = AsyncGenerator[Sequence[BaseModel]]


def row_stream(
    request: Request, rows: Rows, summary: Callable[[], BaseModel], resources: AsyncExitStack
) -> StreamingResponse:
    """`rows` and then the summary, as lines or as a document depending on the request's `Accept`.

    `resources` are closed after the last row, or when the client disconnects.
    """
    by_line = NDJSON in request.headers.get("accept", "")
    parts = (_lines if by_line else _document)(rows, summary)
    body = _closing(parts, resources)
    return StreamingResponse(body, media_type=NDJSON if by_line else "application/json")


async def _lines(rows: Rows, summary: Callable[[], BaseModel]) -> AsyncIterator[str]:
    async with aclosing(rows):
        async for ready in rows:
            yield "".join(f"{_json(row)}\n" for row in ready)
    yield f'{{"summary":{summary().model_dump_json()}}}\n'


async def _document(rows: Rows, summary: Callable[[], BaseModel]) -> AsyncIterator[str]:
    """One JSON document, also streamed: it may be long."""
    yield '{"results":['
    separator = ""
    async with aclosing(rows):
        async for ready in rows:
            yield separator + ",".join(map(_json, ready))
            separator = ","
    yield f'],"summary":{summary().model_dump_json()}}}'


def _json(row: BaseModel) -> str:
    return row.model_dump_json(exclude_unset=True)


async def _closing(parts: AsyncIterator[str], resources: AsyncExitStack) -> AsyncIterator[str]:
    async with resources:
        async for part in parts:
            yield part
