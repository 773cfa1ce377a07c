"""Path parameters that hold names."""

from starlette.convertors import StringConvertor, register_url_convertor

# Paths of their own: `GET /models/rollback` is a 405, not a lookup of a version of that name.
RESERVED = ("compare", "history", "rollback", "relabel", "remove")


class _Name(StringConvertor):
    regex = rf"(?!(?:{'|'.join(RESERVED)})(?:/|$))[^/]+"


register_url_convertor("name", _Name())
VERSION = "{version:name}"
IMAGE_ID = "{image_id:name}"
