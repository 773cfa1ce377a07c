"""Parts of a path that are names, and beside which other paths lie."""

from starlette.convertors import Convertor, register_url_convertor

# Paths of their own: a method that they do not take is not for something of that name.
NO_NAMES = ("compare", "history", "rollback", "relabel", "remove")


class _Name(Convertor[str]):
    regex = rf"(?!(?:{'|'.join(NO_NAMES)})(?:/|$))[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("name", _Name())
VERSION = "{version:name}"
IMAGE_ID = "{image_id:name}"
