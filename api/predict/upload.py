"""Getting the photograph out of a request: a multipart form or the raw body."""

from typing import Any, NamedTuple

from fastapi import Request
from starlette.datastructures import UploadFile

from api.errors import MissingFileError, UnsupportedBodyError
from api.predict.single_file import single_file

FIELD = "file"
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
                }
            },
            "image/*": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


class Upload(NamedTuple):
    """One file as it was sent; a raw body has no name."""

    data: bytes
    filename: str


async def read_photograph(request: Request) -> Upload:
    """The one photograph in `request`.

    Raises MissingFileError for a form without exactly one file in the field `file`,
    UnsupportedBodyError for any other kind of body.
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
    async with request.form(max_files=8, max_fields=8) as form:
        files = [item for item in form.getlist(FIELD) if isinstance(item, UploadFile)]
        if len(files) != 1:
            raise MissingFileError(
                [
                    f"{'a file' if isinstance(item, UploadFile) else 'text'} in '{name}'"
                    for name, item in form.multi_items()
                ]
            )
        return Upload(await files[0].read(), files[0].filename or "")
