"""Small pictures from the API, fetched side by side and kept for a while."""

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from client import ApiClient
from problems import ApiProblem

# About ten kilobytes each.
MOST_KEPT = 600
AT_ONCE = 8


class Album:
    """Pictures by their path at the API. Safe to share between threads."""

    def __init__(self, api: ApiClient, *, size: int) -> None:
        """`size` is the longest side of a picture, in pixels."""
        self._api = api
        self._size = size
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="album")

    def close(self) -> None:
        self._pool.shutdown(wait=False)

    def pictures(self, paths: Sequence[str]) -> list[bytes | None]:
        """The pictures in order; None where one cannot be had just now."""
        return list(self._pool.map(self._picture, paths))

    def _picture(self, path: str) -> bytes | None:
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
                return self._kept[path]
        try:
            picture = self._api.content(path, params={"size": self._size})
        except ApiProblem:
            return None
        with self._lock:
            self._kept[path] = picture
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return picture
