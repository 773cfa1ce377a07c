"""A form that holds one file and nothing else, as most are, read without a parser's many steps."""

import re
from typing import NamedTuple

_BOUNDARY = re.compile(rb'boundary=(?:"([^"\\]+)"|([^\s;"]+))\s*$')
_NAMED = re.compile(
    rb'content-disposition: *form-data; *name="([^"\\%]*)"; *filename="([^"\\%]*)"$', re.IGNORECASE
)
_MOST_HEADERS = 1024


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
