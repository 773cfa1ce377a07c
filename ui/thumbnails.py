"""Thumbnails from the API, fetched concurrently and cached."""

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from client import ApiClient
from errors import ApiError

THREADS = 8


class Thumbnails:
    """Thumbnails by the photo's path at the API. Thread-safe."""

    def __init__(self, api: ApiClient, *, pixels: int, max_cached: int) -> None:
        """`pixels` is the longest side of a thumbnail; the newest `max_cached` are kept."""
        self._api = api
        self._pixels = pixels
        self._max_cached = max_cached
        self._cached: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="thumbnails")

    def close(self) -> None:
        self._pool.shutdown(wait=False)

    def get(self, paths: Sequence[str]) -> list[bytes | None]:
        """The thumbnails in order; None for a photo that is unavailable at the moment."""
        return list(self._pool.map(self._get, paths))

    def _get(self, path: str) -> bytes | None:
        with self._lock:
            if path in self._cached:
                self._cached.move_to_end(path)
                return self._cached[path]
        try:
            image = self._api.content(path, params={"size": self._pixels})
        except ApiError:
            return None
        with self._lock:
            self._cached[path] = image
            while len(self._cached) > self._max_cached:
                self._cached.popitem(last=False)
        return image
