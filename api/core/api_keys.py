"""What a deployment lets in by name: API keys, of which only digests are kept, and origins."""

import hashlib
import hmac
import re
from collections.abc import Sequence

from pydantic import SecretStr

LEAST_LENGTH = 16
# What people leave standing from an example.
PLACEHOLDERS = ("changeme", "change-me", "change_me", "example", "placeholder", "password", "your")
# What a key allows; each allows what the lower ones do.
NO_SCOPE, PREDICT, CHANGE = range(3)
_ORIGIN = re.compile(r"https?://[^/\s*,?#@]+")


def accepted_keys(given: str | Sequence[SecretStr]) -> tuple[SecretStr, ...]:
    """The keys, also of a text with commas. Raises ValueError for one that could be guessed."""
    keys = listed(given) if isinstance(given, str) else [key.get_secret_value() for key in given]
    for number, key in enumerate(keys, start=1):
        if fault := _fault(key):
            # By its number: whatever is said here ends in a log.
            raise ValueError(f"key {number} {fault}. Make one: openssl rand -hex 32")
    return tuple(SecretStr(key) for key in keys)


def listed(text: str) -> list[str]:
    """What stands between the commas of a text, but for what is empty."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _fault(key: str) -> str:
    if not (key.isascii() and key.isprintable()) or " " in key:
        return "has characters that no header carries; use letters, digits and signs"
    if len(key) < LEAST_LENGTH:
        return f"is shorter than {LEAST_LENGTH} characters"
    if any(word in key.lower() for word in PLACEHOLDERS) or len(set(key)) < LEAST_LENGTH // 2:
        return "is a placeholder, or as easy to guess as one"
    return ""


class ApiKeys:
    """The keys of one deployment. Without any, everything is open."""

    def __init__(self, predict: Sequence[SecretStr] = (), change: Sequence[SecretStr] = ()) -> None:
        scopes = {_digest(key.get_secret_value()): PREDICT for key in predict}
        scopes |= {_digest(key.get_secret_value()): CHANGE for key in change}
        self._scopes = tuple(scopes.items())
        self.is_empty = not scopes
        self.guards_predictions = bool(predict)

    def scope_of(self, key: str) -> int:
        """Of a key as it was sent; NO_SCOPE for one that is not known.

        Every key is compared, and digests in place of keys: the time tells nothing of either.
        """
        sent, found = _digest(key), NO_SCOPE
        for digest, scope in self._scopes:
            if hmac.compare_digest(sent, digest):
                found = scope
        return found


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def accepted_origins(given: str | Sequence[str]) -> tuple[str, ...]:
    """The origins, given as a list or as a text with commas.

    Raises ValueError for a text that is not an origin. `*` is not one: no unknown site may use what
    is open to a visitor of its page.
    """
    origins = listed(given) if isinstance(given, str) else list(given)
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is no origin: write https://app.example, without a path")
    return tuple(origins)
