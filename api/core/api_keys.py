"""API keys, kept in memory only as digests, and CORS origins."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from enum import IntFlag

from pydantic import SecretStr

MIN_LENGTH = 16
PLACEHOLDERS = ("changeme", "change-me", "change_me", "example", "placeholder", "password", "your")
_ORIGIN = re.compile(r"https?://[^/\s*,?#@]+")


class KeyScope(IntFlag):
    """What a key may do. Every key may grade and read."""

    NONE = 0
    PREDICT = 1
    # Upload, label and remove photos; give feedback.
    DATA = PREDICT | 2
    # Retrain, promote, roll back; thresholds and triggers.
    MODELS = PREDICT | 4
    CHANGE = DATA | MODELS


NO_SCOPE, PREDICT, CHANGE = KeyScope.NONE, KeyScope.PREDICT, KeyScope.CHANGE


def parse_keys(value: str | Sequence[SecretStr]) -> tuple[SecretStr, ...]:
    """Keys as a list or comma-separated. Raises ValueError for a weak key."""
    if isinstance(value, str):
        keys = split_commas(value)
    else:
        keys = [key.get_secret_value() for key in value]
    for number, key in enumerate(keys, start=1):
        if fault := _fault(key):
            # Not the key itself: the message ends up in a log.
            raise ValueError(f"key {number} {fault}. Make one: openssl rand -hex 32")
    return tuple(SecretStr(key) for key in keys)


def split_commas(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _fault(key: str) -> str:
    if not (key.isascii() and key.isprintable()) or " " in key:
        return "has characters that no header carries; use letters, digits and signs"
    if len(key) < MIN_LENGTH:
        return f"is shorter than {MIN_LENGTH} characters"
    if any(word in key.lower() for word in PLACEHOLDERS) or len(set(key)) < MIN_LENGTH // 2:
        return "is a placeholder, or as easy to guess as one"
    return ""


class ApiKeys:
    """The keys of a deployment. Without any, all endpoints are open."""

    def __init__(
        self,
        predict: Sequence[SecretStr] = (),
        change: Sequence[SecretStr] = (),
        data: Sequence[SecretStr] = (),
        models: Sequence[SecretStr] = (),
    ) -> None:
        scopes: dict[bytes, KeyScope] = {}
        for scope, keys in (
            (KeyScope.PREDICT, predict),
            (KeyScope.DATA, data),
            (KeyScope.MODELS, models),
            (KeyScope.CHANGE, change),
        ):
            for key in keys:
                digest = _digest(key.get_secret_value())
                scopes[digest] = scopes.get(digest, NO_SCOPE) | scope
        self._scopes = tuple(scopes.items())
        self.is_empty = not scopes
        self.guards_predictions = bool(predict)

    def scope_of(self, key: str) -> KeyScope:
        """The scope of a key as sent; NO_SCOPE for an unknown one.

        Constant time: compares digests, and all of them.
        """
        sent, result = _digest(key), NO_SCOPE
        for digest, scope in self._scopes:
            if hmac.compare_digest(sent, digest):
                result = scope
        return result


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def parse_origins(value: str | Sequence[str]) -> tuple[str, ...]:
    """Origins as a list or comma-separated.

    Raises ValueError for an invalid origin. `*` is invalid too: without keys, any web page could
    use the service through its visitors' browsers.
    """
    origins = split_commas(value) if isinstance(value, str) else list(value)
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"{origin!r} is not an origin: write https://app.example, without a path"
            )
    return tuple(origins)
