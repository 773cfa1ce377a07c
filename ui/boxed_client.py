"""The API's endpoints for photos with boxes around their fruits."""

from typing import Any

from api_models import BoxedPhotoAnswer, BoxedPhotoPage
from http_client import HttpClient

_PATH = "/dataset/boxed-photos"


class BoxedPhotoClient:
    """Raises `ApiError` as `HttpClient` does."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def page(self, offset: int, limit: int) -> BoxedPhotoPage:
        """A page of the photos, newest first."""
        return self._http.call(
            BoxedPhotoPage, "GET", _PATH, params={"offset": offset, "limit": limit}
        )

    def change(self, photo_id: str, body: dict[str, Any]) -> BoxedPhotoAnswer:
        """Replace the boxes of a photo."""
        return self._http.call(BoxedPhotoAnswer, "PUT", f"{_PATH}/{photo_id}/boxes", json=body)

    def remove(self, photo_id: str, *, for_good: bool) -> None:
        """Remove a photo and its boxes; if not for good, it can be restored for some days."""
        self._http.send("DELETE", f"{_PATH}/{photo_id}" + ("" if for_good else "?restorable=true"))

    def picture(self, photo_id: str, size: int) -> bytes:
        """A JPEG whose longest side has at most `size` pixels."""
        return self._http.content(boxed_photo_path(photo_id), params={"size": size})


def boxed_photo_path(photo_id: str) -> str:
    """The path of a boxed photo's picture."""
    return f"{_PATH}/{photo_id}/photograph"
