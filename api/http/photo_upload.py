"""Reading the one photo of a request, from a multipart form or as the raw body."""

from contextlib import aclosing
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import HTTPException, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException

from api.core.errors import MissingFileError, UnsupportedBodyError
from api.http.multipart import FormParser

FIELD = "file"
LIMITS: dict[str, int] = {"max_files": 8, "max_fields": 100, "max_part_size": 64 * 2**10}
IMAGE_TYPES = (
    *("image/jpeg", "image/png", "image/webp", "image/bmp"),
    *("image/heic", "image/avif"),
)
# Written by hand: FastAPI cannot describe a body that the endpoint reads itself.
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


class PhotoUpload(NamedTuple):
    """An uploaded file. `filename` is empty for a raw body."""

    data: bytes
    filename: str


async def read_photo(request: Request) -> PhotoUpload:
    """Read a body of type `image/*`, or the file in the field `file` of a form.

    Raises MissingFileError for a form without exactly one such file, UnreadableCharsetError for a
    form with an unusable charset, UnsupportedBodyError for any other content type.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type.startswith("image/"):
        return PhotoUpload(await request.body(), "")
    if content_type != "multipart/form-data":
        raise UnsupportedBodyError(content_type)
    async with aclosing(request.stream()) as stream:
        try:
            form = await FormParser(request.headers, stream, **LIMITS).parse()
        except MultiPartException as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, error.message) from error
    try:
        return await _only_file(form)
    finally:
        await form.close()


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
