"""The sites whose pages may call the service from a browser."""

import re
from collections.abc import Sequence

from api.guard.keys import listed

_ORIGIN = re.compile(r"https?://[^/\s*,?#@]+")


def accepted_origins(given: str | Sequence[str]) -> tuple[str, ...]:
    """The origins, also of a text with commas. Raises ValueError for what is none.

    All sites at once is none: a page that somebody comes across must not use what is open to him.
    """
    origins = listed(given) if isinstance(given, str) else list(given)
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is no origin: write https://app.example, without a path")
    return tuple(origins)
