"""How many requests a client may send in a time. Each process counts for itself, in memory."""

import hashlib
import math
import time
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv6Network, ip_address

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from api.core.errors import ProblemError

# An internet provider gives so much to one customer, who can change addresses within it.
CUSTOMER_BITS = 64


class TooManyRequestsError(ProblemError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too-many-requests"

    def __init__(self, limit: str, seconds: int) -> None:
        super().__init__(
            f"More than {limit} from this client. Send the request again in {seconds} s."
        )
        self.retry_after_seconds = seconds


class RateLimit:
    """`text` is such as `60/second` or `1000 per hour`. Raises ValueError for another."""

    def __init__(self, text: str) -> None:
        self._limit = parse(text)
        self._counter = FixedWindowRateLimiter(MemoryStorage())

    def count(self, peer: tuple[str, int] | None, key: str) -> None:
        """Count a request by its `key`, or by the address `peer` where the key is empty.

        Raises TooManyRequestsError.
        """
        client = _of_key(key) if key else _of_address(peer[0] if peer else "")
        if not self._counter.hit(self._limit, client):
            end = self._counter.get_window_stats(self._limit, client).reset_time
            limit = f"{self._limit.amount} requests in {self._limit.get_expiry()} s"
            raise TooManyRequestsError(limit, max(1, math.ceil(end - time.time())))


def _of_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@lru_cache(maxsize=4096)
def _of_address(address: str) -> str:
    """All addresses of one customer are one client."""
    try:
        version = ip_address(address).version
    except ValueError:  # No address, such as that of a socket file.
        return "unknown"
    if version == 4:
        return address
    return str(IPv6Network((address, CUSTOMER_BITS), strict=False))
