"""Reading the one photo of a request, from a multipart form or as the raw body."""

import re
from typing import Any, NamedTuple

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from api.core.errors import MissingFileError, UnreadableCharsetError, UnsupportedBodyError

FIELD = "file"
LIMITS = {"max_files": 8, "max_fields": 100, "max_part_size": 64 * 2**10}
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/bmp", "image/heic")
# Written by hand: FastAPI does not know a body that the endpoint reads itself.
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
                "encoding": {FIELD: {"contentType": ", ".join(IMAGE_TYPES)}},
            },
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in IMAGE_TYPES},
        },
    }
}
_BOUNDARY = re.compile(rb'boundary=(?:"([^"\\]+)"|([^\s;"]+))\s*$')
_CONTENT_DISPOSITION = re.compile(
    rb'content-disposition: *form-data; *name="([^"\\%]*)"; *filename="([^"\\%]*)"$', re.IGNORECASE
)
_MAX_HEADER_BYTES = 1024


class PhotoUpload(NamedTuple):
    """An uploaded file. `filename` is empty for a raw body."""

    data: bytes
    filename: str


async def read_photo(request: Request) -> PhotoUpload:
    """Read a body of type `image/*`, or the file in the field `file` of a form.

    Raises MissingFileError for a form without exactly one such file, UnreadableCharsetError for a
    form with an unusable charset, UnsupportedBodyError for any other content type.
    """
    header = request.headers.get("content-type", "")
    content_type = header.partition(";")[0].strip().lower()
    if content_type.startswith("image/"):
        return PhotoUpload(await request.body(), "")
    if content_type != "multipart/form-data":
        raise UnsupportedBodyError(content_type)
    part = parse_single_file(header, await request.body())
    if part and part.name == FIELD:
        return PhotoUpload(part.data, part.filename)
    try:
        async with request.form(**LIMITS) as form:
            return await _only_file(form)
    except UnicodeError as error:  # From a charset that decodes nothing, such as "undefined".
        raise UnreadableCharsetError() from error


async def _only_file(form: FormData) -> PhotoUpload:
    files = [item for item in form.getlist(FIELD) if isinstance(item, UploadFile)]
    if len(files) != 1:
        raise MissingFileError(
            [
                f"{'a file' if isinstance(item, UploadFile) else 'text'} in '{name}'"
                for name, item in form.multi_items()
            ]
        )
    return PhotoUpload(await files[0].read(), files[0].filename or "")


class Part(NamedTuple):
    """One part of a form: a file in the field `name`."""

    name: str
    filename: str
    data: bytes


def parse_single_file(content_type: str, body: bytes) -> Part | None:
    """Fast path for what nearly all clients send: a form that is exactly one file.

    Returns None for any other form, which the real parser must read.
    """
    boundary = _BOUNDARY.search(content_type.encode("latin-1", "replace"))
    if boundary is None:
        return None
    start = b"--%b\r\n" % (boundary[1] or boundary[2])
    end = b"\r\n--%b--" % (boundary[1] or boundary[2])
    if not body.startswith(start):
        return None
    blank = body.find(b"\r\n\r\n", len(start), len(start) + _MAX_HEADER_BYTES)
    stop = body.find(end[:-2], blank + 4)
    # The first boundary after the file must be the closing one.
    if blank < 0 or stop < 0 or body[stop:].rstrip(b"\r\n") != end:
        return None
    headers = body[len(start) : blank].split(b"\r\n")
    matches = [match for line in headers if (match := _CONTENT_DISPOSITION.match(line))]
    if len(matches) != 1:
        return None
    try:
        return Part(matches[0][1].decode(), matches[0][2].decode(), body[blank + 4 : stop])
    except UnicodeDecodeError:
        return None
