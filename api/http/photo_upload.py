"""Getting the photograph out of a request: a multipart form or the raw body."""

import re
from typing import Any, NamedTuple

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from api.core.errors import MissingFileError, UnreadableCharsetError, UnsupportedBodyError

FIELD = "file"
LIMITS = {"max_files": 8, "max_fields": 100, "max_part_size": 64 * 2**10}
KINDS = ("image/jpeg", "image/png", "image/webp", "image/bmp", "image/heic")
# The endpoint reads the request itself, so FastAPI cannot tell what it takes.
OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "format": "binary"}},
                },
                "encoding": {FIELD: {"contentType": ", ".join(KINDS)}},
            },
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS},
        },
    }
}
_BOUNDARY = re.compile(rb'boundary=(?:"([^"\\]+)"|([^\s;"]+))\s*$')
_NAMED = re.compile(
    rb'content-disposition: *form-data; *name="([^"\\%]*)"; *filename="([^"\\%]*)"$', re.IGNORECASE
)
_MOST_HEADERS = 1024


class Upload(NamedTuple):
    """One file as it was sent; a raw body has no name."""

    data: bytes
    filename: str


async def read_photograph(request: Request) -> Upload:
    """The one photograph in `request`.

    Raises MissingFileError for a form without exactly one file in the field `file`,
    UnreadableCharsetError for one in a character set that reads nothing, UnsupportedBodyError for
    any other kind of body.
    """
    sent_as = request.headers.get("content-type", "")
    content_type = sent_as.partition(";")[0].strip().lower()
    if content_type.startswith("image/"):
        return Upload(await request.body(), "")
    if content_type != "multipart/form-data":
        raise UnsupportedBodyError(content_type)
    part = single_file(sent_as, await request.body())
    if part and part.name == FIELD:
        return Upload(part.data, part.filename)
    try:
        async with request.form(**LIMITS) as form:
            return await _only_file(form)
    except UnicodeError as error:  # Python has character sets that read nothing.
        raise UnreadableCharsetError() from error


async def _only_file(form: FormData) -> Upload:
    files = [item for item in form.getlist(FIELD) if isinstance(item, UploadFile)]
    if len(files) != 1:
        raise MissingFileError(
            [
                f"{'a file' if isinstance(item, UploadFile) else 'text'} in '{name}'"
                for name, item in form.multi_items()
            ]
        )
    return Upload(await files[0].read(), files[0].filename or "")


class Part(NamedTuple):
    """The one part of a form. `data` are the bytes of its file."""

    name: str
    filename: str
    data: bytes


def single_file(content_type: str, body: bytes) -> Part | None:
    """The one file in `body`, or None for a form of any other build: that takes the real parser."""
    boundary = _BOUNDARY.search(content_type.encode("latin-1", "replace"))
    if boundary is None:
        return None
    start = b"--%b\r\n" % (boundary[1] or boundary[2])
    end = b"\r\n--%b--" % (boundary[1] or boundary[2])
    if not body.startswith(start):
        return None
    blank = body.find(b"\r\n\r\n", len(start), len(start) + _MOST_HEADERS)
    stop = body.find(end[:-2], blank + 4)
    # The first boundary after the file has to be the last of the body.
    if blank < 0 or stop < 0 or body[stop:].rstrip(b"\r\n") != end:
        return None
    named = [_NAMED.match(line) for line in body[len(start) : blank].split(b"\r\n")]
    found = [match for match in named if match]
    if len(found) != 1:
        return None
    try:
        return Part(found[0][1].decode(), found[0][2].decode(), body[blank + 4 : stop])
    except UnicodeDecodeError:
        return None
