"""A rate limit per client. Each process counts on its own, in memory.

The counters of the package `limits` use the wall clock: if it were set back by an hour, all known
clients would be refused for that hour.
"""

import hashlib
import math
import time
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv6Network, ip_address

from limits import parse

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
    """`text` is like `60/second` or `1000 per hour`; raises ValueError for anything else.

    `clock` returns seconds that only increase. Call it from one thread.
    """

    def __init__(self, text: str, clock: Callable[[], float] = time.monotonic) -> None:
        limit = parse(text)
        self._amount, self._seconds = limit.amount, limit.get_expiry()
        self._clock = clock
        # By client: the end of its window, and its requests in it.
        self._windows: dict[str, tuple[float, int]] = {}
        self._tidied_at = clock()

    def count(self, peer: tuple[str, int] | None, key: str) -> None:
        """Count a request of `key`, or of the address `peer` if the key is empty.

        Raises TooManyRequestsError.
        """
        if key:
            client = hashlib.sha256(key.encode()).hexdigest()
        else:
            client = _client_of_address(peer[0] if peer else "")
        at = self._clock()
        self._tidy(at)
        end, count = self._windows.get(client, (at, 0))
        if end <= at:
            end, count = at + self._seconds, 0
        self._windows[client] = end, count + 1
        if count >= self._amount:
            limit = f"{self._amount} requests in {self._seconds} s"
            raise TooManyRequestsError(limit, max(1, math.ceil(end - at)))

    def _tidy(self, at: float) -> None:
        """Forget clients whose window is over, once a window."""
        if at >= self._tidied_at + self._seconds:
            self._windows = {key: one for key, one in self._windows.items() if one[0] > at}
            self._tidied_at = at


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
