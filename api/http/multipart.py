"""Multipart forms as other tools write them.

Besides what Starlette's parser accepts: text before the first boundary, `filename*`, file names in
the encodings of .NET and of browsers, and files without a name.
"""

import re
from collections.abc import AsyncGenerator
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from urllib.parse import unquote

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser

from api.core.errors import UnreadableCharsetError

MAX_PREAMBLE_BYTES = 64 * 2**10
# A part of one of these types is a file, even without a file name.
_FILE_TYPES = (
    b"image/",
    b"application/octet-stream",
    b"application/zip",
    b"application/x-zip-compressed",
)
_PLAIN_ENCODINGS = (b"", b"binary", b"8bit", b"7bit")
_EXTENDED_NAME = re.compile(
    rb";\s*filename\*\s*=\s*\"?(?:([\w.:+-]*)'[^']*')?([^;\"'\s]+)", re.IGNORECASE
)
_ENCODED_WORDS = re.compile(r"\s*(=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=\s*)+")
# How browsers write what would end a quoted name (HTML standard, "multipart/form-data").
_BY_BROWSERS = (("%22", '"'), ("%0D", " "), ("%0A", " "))


class FormParser(MultiPartParser):
    """Raises MultiPartException for a body that is not a form, and UnreadableCharsetError."""

    _is_whole = False

    def on_headers_finished(self) -> None:
        part = self._current_part
        disposition = part.content_disposition or b""
        _, options = parse_options_header(disposition)
        encoding = self._header(b"content-transfer-encoding").lower()
        if encoding not in _PLAIN_ENCODINGS:
            # No longer allowed (RFC 7578, 4.7). Unchecked, it would be reported as a damaged photo.
            raise MultiPartException(
                f"A part has the Content-Transfer-Encoding {encoding.decode('latin-1')[:40]}. Send "
                "its bytes as they are."
            )
        extended = _extended_name(disposition)
        if b"filename" not in options and (extended is not None or self._has_file_type()):
            part.content_disposition = disposition + b'; filename=""'
        super().on_headers_finished()
        if part.file is not None:
            part.file.filename = extended or _decoded(part.file.filename or "")

    def _has_file_type(self) -> bool:
        return self._header(b"content-type").lower().startswith(_FILE_TYPES)

    def _header(self, name: bytes) -> bytes:
        """A header of the current part, or empty."""
        headers = self._current_part.item_headers
        return next((value.strip() for header, value in headers if header == name), b"")

    def on_end(self) -> None:
        self._is_whole = True

    async def parse(self) -> FormData:
        _, options = parse_options_header(self.headers["Content-Type"])
        if boundary := options.get(b"boundary"):
            delimiter = b"--" + boundary
            self.stream = self._ended(_without_preamble(self.stream, delimiter), delimiter)
        try:
            return await super().parse()
        except UnicodeError as error:  # From a charset that decodes nothing, such as "undefined".
            raise UnreadableCharsetError() from error

    async def _ended(
        self, stream: AsyncGenerator[bytes, None], delimiter: bytes
    ) -> AsyncGenerator[bytes, None]:
        """The body, with hyphens added after its last boundary if the client forgot them.

        Raises MultiPartException if the last boundary is missing: the parser skips a part that is
        cut off, and nobody would notice that a file was lost.
        """
        tail, length = b"", len(delimiter) + 2
        async for chunk in stream:
            tail = (tail + chunk if len(chunk) < length else chunk)[-length:]
            yield chunk
        if tail.endswith(delimiter):
            yield b"--\r\n"
        elif not (self._is_whole or tail == delimiter + b"\r\n"):
            raise MultiPartException("The form is cut off: its last boundary is missing.")


def _extended_name(disposition: bytes) -> str | None:
    """The file name of `filename*` (RFC 8187); None without one, or in an unknown encoding."""
    found = _EXTENDED_NAME.search(disposition)
    if found is None:
        return None
    try:
        return unquote(found[2].decode("latin-1"), (found[1] or b"utf-8").decode(), "replace")
    except (LookupError, UnicodeError):
        return None


def _decoded(name: str) -> str:
    """A file name without the encodings of .NET and of browsers."""
    if _ENCODED_WORDS.fullmatch(name):
        try:
            return str(make_header(decode_header(name)))
        except (HeaderParseError, LookupError, ValueError):
            return name
    for written, meant in _BY_BROWSERS:
        name = name.replace(written, meant)
    return name


async def _without_preamble(
    stream: AsyncGenerator[bytes, None], delimiter: bytes
) -> AsyncGenerator[bytes, None]:
    """The body from its first boundary (RFC 2046, 5.1.1). Raises MultiPartException if there is
    none in the first MAX_PREAMBLE_BYTES."""
    boundary, usual = None, delimiter + b"\r\n"
    start = b""
    async for chunk in stream:
        start += chunk
        if start.startswith(usual):
            break
        if boundary is None:  # Compiled only if needed: it differs with each request.
            after = rb"(?=[ \t]*\r?\n|--)"
            boundary = re.compile(rb"^" + re.escape(delimiter) + after, re.MULTILINE)
        if found := boundary.search(start):
            if start[found.end() :].lstrip(b" \t").startswith(b"\n"):
                raise MultiPartException(
                    "Its lines end in LF alone. A form needs CR and LF (RFC 2046)."
                )
            start = start[found.start() :]
            break
        if len(start) > MAX_PREAMBLE_BYTES:
            raise MultiPartException("The boundary of the Content-Type header is missing.")
    yield start
    async for chunk in stream:
        yield chunk
