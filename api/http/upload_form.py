"""Reading a multipart form with many files. Files over SPOOL_BYTES are spooled to disk."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import Any

from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException

from api.catalog.archive import SentFile, UploadForm
from api.core.errors import ProblemError, UnprocessableError
from api.core.formatting import printable
from api.http.multipart import FormParser

# Each may be an open file.
MAX_FILES = 500
# Text fields, kept in memory. Unknown ones are ignored.
MAX_FIELDS, FIELD_BYTES = 100, 64 * 2**10
SPOOL_BYTES = 64 * 2**10
# Fields that apply to all files.
ONCE = ("class_name", "new_class")
_FLAG = TypeAdapter(bool)
_FLAG_WORDS = ("true", "false", "1", "0", "yes", "no", "on", "off", "y", "n", "t", "f")
# For OpenAPI. Form fields are always text.
NEW_CLASS: dict[str, Any] = {
    "type": "string",
    "enum": [
        "",
        *dict.fromkeys(word for flag in _FLAG_WORDS for word in (flag, flag.title(), flag.upper())),
    ],
    "default": "false",
    "description": "Accept new classes whose names resemble those of known classes.",
}
FILES: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "format": "binary"},
    "minItems": 1,
    "maxItems": MAX_FILES,
}


def describe_form(**fields: dict[str, Any]) -> dict[str, Any]:
    """The form for OpenAPI: FastAPI cannot describe a body that the endpoint reads itself."""
    schema = {"type": "object", "required": ["files"], "properties": fields}
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


class NoFilesError(UnprocessableError):
    code = "no-files"
    detail = (
        "The form has no file in a field named 'files' (curl: -F files=@apple.jpg -F "
        "class_name=freshapples)."
    )


class RepeatedFieldError(UnprocessableError):
    code = "repeated-field"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The form has several fields '{name}', but one applies to all files. Send one request "
            "for each, or a zip with a folder for each class."
        )


class MisplacedFilesError(UnprocessableError):
    code = "misplaced-files"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The form has files in the field '{printable(name)[:40]}', which would be ignored. "
            "Send all in fields named 'files'."
        )


class BadFormError(ProblemError):
    code = "bad-form"


class BadFlagError(UnprocessableError):
    code = "bad-flag"
    detail = "The form field 'new_class' is either true or false."


class NotAFormError(ProblemError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "not-a-form"

    def __init__(self, content_type: str) -> None:
        super().__init__(
            "Send photos or zips as a multipart form, in fields named 'files'; this request "
            f"has {content_type or 'no content type'}."
        )


@asynccontextmanager
async def upload_form(request: Request) -> AsyncIterator[UploadForm]:
    """Parse the form of `request`. Its files are closed at the end of the context.

    Raises NotAFormError, BadFormError, UnreadableCharsetError, NoFilesError,
    MisplacedFilesError, RepeatedFieldError, BadFlagError.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "multipart/form-data":
        raise NotAFormError(content_type)
    async with aclosing(request.stream()) as stream:
        parser = FormParser(
            request.headers,
            stream,
            max_files=MAX_FILES,
            max_fields=MAX_FIELDS,
            max_part_size=FIELD_BYTES,
        )
        # Starlette's default of 1 MiB per file would take 500 MiB of memory for MAX_FILES.
        parser.spool_max_size = SPOOL_BYTES
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise BadFormError(
                f"The form cannot be read: {error.message} Send at most {MAX_FILES} files at once, "
                "or a zip."
            ) from error
    try:
        files = tuple(
            SentFile(printable(item.filename or "") or "photograph", item.file)
            for item in form.getlist("files")
            if isinstance(item, UploadFile) and (item.filename or item.size)
        )
        if not files:
            raise NoFilesError()
        for name, item in form.multi_items():
            if name != "files" and isinstance(item, UploadFile):
                raise MisplacedFilesError(name)
            if name in ONCE and len(form.getlist(name)) > 1:
                raise RepeatedFieldError(name)
        named = form.get("class_name")
        class_name = named.strip() if isinstance(named, str) else ""
        yield UploadForm(files, class_name, _is_new_class(form))
    finally:
        await form.close()


def _is_new_class(form: FormData) -> bool:
    """False if the field is missing or empty. Raises BadFlagError."""
    try:
        return _FLAG.validate_python(form.get("new_class") or "false")
    except ValidationError:
        raise BadFlagError() from None
