"""A rate limit per client. Each process counts on its own, in memory."""

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

# Providers assign a /64 to one customer, who can use any address in it.
CUSTOMER_PREFIX = 64


class TooManyRequestsError(ProblemError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too-many-requests"

    def __init__(self, limit: str, seconds: int) -> None:
        super().__init__(
            f"More than {limit} from this client. Send the request again in {seconds} s."
        )
        self.retry_after_seconds = seconds


class RateLimit:
    """`text` is like `60/second` or `1000 per hour`; raises ValueError for anything else."""

    def __init__(self, text: str) -> None:
        self._limit = parse(text)
        self._counter = FixedWindowRateLimiter(MemoryStorage())

    def count(self, peer: tuple[str, int] | None, key: str) -> None:
        """Count a request of `key`, or of the address `peer` if the key is empty.

        Raises TooManyRequestsError.
        """
        if key:
            client = hashlib.sha256(key.encode()).hexdigest()
        else:
            client = _client_of_address(peer[0] if peer else "")
        if not self._counter.hit(self._limit, client):
            end = self._counter.get_window_stats(self._limit, client).reset_time
            limit = f"{self._limit.amount} requests in {self._limit.get_expiry()} s"
            raise TooManyRequestsError(limit, max(1, math.ceil(end - time.time())))


@lru_cache(maxsize=4096)
def _client_of_address(address: str) -> str:
    """An IPv4 address, or the network of an IPv6 customer."""
    try:
        version = ip_address(address).version
    except ValueError:  # A Unix socket has none.
        return "unknown"
    if version == 4:
        return address
    return str(IPv6Network((address, CUSTOMER_PREFIX), strict=False))
