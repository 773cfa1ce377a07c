"""The API's endpoints of inspections."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from api_models import (
    AddedPhotos,
    Inspection,
    InspectionFruitPage,
    InspectionPage,
    InspectionPhoto,
    InspectionPhotoPage,
    PixelBox,
    RemovedInspectionPage,
    RemovedInspectionPhotoPage,
)
from http_client import HttpClient
from photos import Photo

_PATH = "/inspections"
ReportKind = Literal["pdf", "xlsx"]


class InspectionClient:
    """Raises `ApiError` as `HttpClient` does."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def open(self, body: dict[str, Any]) -> Inspection:
        return self._http.call(Inspection, "POST", _PATH, json=body)

    def find(
        self, search: str, since: datetime | None, until: datetime | None, offset: int, limit: int
    ) -> InspectionPage:
        """A page of inspections, newest first, whose lot or supplier contains `search`."""
        moments = {"since": since, "until": until}
        params = {name: at.isoformat() for name, at in moments.items() if at}
        params |= {"search": search} if search else {}
        return self._http.call(
            InspectionPage, "GET", _PATH, params=params | {"offset": offset, "limit": limit}
        )

    def get(self, inspection_id: str) -> Inspection:
        return self._http.call(Inspection, "GET", f"{_PATH}/{inspection_id}")

    def delete(self, inspection_id: str, *, for_good: bool) -> None:
        """Delete it with its photos; unless it is for good, it can be restored for some days."""
        self._http.send("DELETE", f"{_PATH}/{inspection_id}{_restorable(for_good)}")

    def removed(self, limit: int) -> RemovedInspectionPage:
        """The most recently removed inspections, which can be restored."""
        return self._http.call(
            RemovedInspectionPage, "GET", "/removed-inspections", params={"limit": limit}
        )

    def restore(self, inspection_id: str) -> Inspection:
        return self._http.call(Inspection, "POST", f"{_PATH}/{inspection_id}/restore")

    def add(self, inspection_id: str, photos: Sequence[Photo]) -> AddedPhotos:
        """Add photos or zips of photos; each fruit is graded."""
        files = [("files", (photo.name, photo.data)) for photo in photos]
        return self._http.call(AddedPhotos, "POST", f"{_PATH}/{inspection_id}/photos", files=files)

    def photos(self, inspection_id: str, offset: int, limit: int) -> InspectionPhotoPage:
        params = {"offset": offset, "limit": limit}
        return self._http.call(
            InspectionPhotoPage, "GET", f"{_PATH}/{inspection_id}/photos", params=params
        )

    def fruits(self, inspection_id: str, offset: int, limit: int) -> InspectionFruitPage:
        """A page of the fruits, worst first."""
        params = {"offset": offset, "limit": limit}
        return self._http.call(
            InspectionFruitPage, "GET", f"{_PATH}/{inspection_id}/fruits", params=params
        )

    def count(self, inspection_id: str, photo_id: str, *, counted: bool) -> InspectionPhoto:
        """Set whether a photo counts, or shows the same fruits as another."""
        path = f"{_PATH}/{inspection_id}/photos/{photo_id}"
        return self._http.call(InspectionPhoto, "PATCH", path, json={"counted": counted})

    def remove_photo(self, inspection_id: str, photo_id: str, *, for_good: bool) -> None:
        """As `delete`."""
        path = f"{_PATH}/{inspection_id}/photos/{photo_id}"
        self._http.send("DELETE", f"{path}{_restorable(for_good)}")

    def removed_photos(self, inspection_id: str, limit: int) -> RemovedInspectionPhotoPage:
        """As `removed`."""
        path = f"{_PATH}/{inspection_id}/removed-photos"
        return self._http.call(RemovedInspectionPhotoPage, "GET", path, params={"limit": limit})

    def restore_photo(self, inspection_id: str, photo_id: str) -> InspectionPhoto:
        path = f"{_PATH}/{inspection_id}/photos/{photo_id}/restore"
        return self._http.call(InspectionPhoto, "POST", path)

    def say(self, inspection_id: str, photo_id: str, number: int, said: str) -> InspectionPhoto:
        """Say what a fruit is: fresh, past_best, rotten or no_fruit."""
        path = f"{_PATH}/{inspection_id}/photos/{photo_id}/fruits/{number}"
        return self._http.call(InspectionPhoto, "PUT", path, json={"said": said})

    def take_back(self, inspection_id: str, photo_id: str, number: int) -> InspectionPhoto:
        """Undo a person's correction of a fruit, or remove a fruit that a person added."""
        path = f"{_PATH}/{inspection_id}/photos/{photo_id}/fruits/{number}"
        return self._http.call(InspectionPhoto, "DELETE", path)

    def add_missed(
        self, inspection_id: str, photo_id: str, box: PixelBox, level: str
    ) -> InspectionPhoto:
        path = f"{_PATH}/{inspection_id}/photos/{photo_id}/fruits"
        body = {"box": box.model_dump(), "level": level}
        return self._http.call(InspectionPhoto, "POST", path, json=body)

    def report(self, inspection_id: str, kind: ReportKind) -> bytes:
        """The report of an inspection, as a file."""
        return self._http.content(f"{_PATH}/{inspection_id}/report.{kind}")


def graded_photo_path(photo_id: str) -> str:
    """The path of the picture of an inspection's photo."""
    return f"/predictions/{photo_id}/photograph"


def _restorable(for_good: bool) -> str:
    return "" if for_good else "?restorable=true"
