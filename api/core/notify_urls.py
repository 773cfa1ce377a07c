"""Addresses that Apprise sends notifications to. They hold passwords and tokens."""

import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:
    from apprise import Apprise

# An address may itself contain commas.
_BETWEEN = re.compile(r"[\s,]+(?=[a-z][a-z0-9+.-]*://)", re.IGNORECASE)


def parse_notify_urls(value: str | Sequence[SecretStr]) -> tuple[SecretStr, ...]:
    """Addresses as a list, or separated by commas or spaces.

    Raises ValueError for one that Apprise cannot use.
    """
    if isinstance(value, str):
        urls = [url for url in _BETWEEN.split(value.strip()) if url]
    else:
        urls = [url.get_secret_value() for url in value]
    for number, url in enumerate(urls, start=1):
        if not receiver(url):
            # Not the address itself: the message ends up in a log.
            raise ValueError(
                f"Apprise does not know the kind of address {number}. Its documentation lists "
                "all kinds, such as mailto://, slack://, msteams:// and json://."
            )
    return tuple(SecretStr(url) for url in urls)


def receiver(url: str) -> "Apprise":
    """The sender for one address; falsy if Apprise cannot use it."""
    # Imported here: it takes two seconds and 40 MB, and is needed only with receivers.
    import apprise  # noqa: PLC0415

    # Its log lines may quote an address; ours say all that is needed.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    one = apprise.Apprise()
    one.add(url)
    return one


def scheme(url: SecretStr) -> str:
    """The part of an address that may be shown; the rest may hold secrets."""
    return url.get_secret_value().partition("://")[0].lower()
