"""Grades the same photos with two versions in the background."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from api_models import BatchFailure, TrialPhoto
from client import ApiClient
from history_client import photo_path
from model_client import ModelClient
from photos import Photo, thumbnail
from thumbnails import Thumbnails

from transfer import upload_batches
from transfer.background_upload import BackgroundUpload
from transfer.grading import MAX_THUMBNAILS, is_available
from transfer.upload_batches import UploadBatch

# Both versions grade them in about two seconds.
KEPT_DAYS, MAX_KEPT = 7, 100


@dataclass(frozen=True)
class Tried:
    """One file, with its two grades or its error."""

    name: str
    thumbnail: str | None
    grades: TrialPhoto | None
    error: str | None


@dataclass
class VersionTrial:
    """Two versions, and the photos that both grade: those of `upload`, or stored ones."""

    a: str
    b: str
    upload: BackgroundUpload[Tried] | None
    kept: list[Tried] = field(default_factory=list)

    @property
    def rows(self) -> list[Tried]:
        return self.upload.rows if self.upload else self.kept


def start(api: ApiClient, a: str, b: str, files: Iterable[Photo]) -> VersionTrial:
    """Start grading photos or zips of photos with versions `a` and `b`."""
    queue, client = deque(files), ModelClient(api)
    total = upload_batches.count_photos(queue)
    thumbnails_left = MAX_THUMBNAILS

    def send(batch: UploadBatch) -> list[Tried]:
        nonlocal thumbnails_left
        by_name = {photo.name: photo.data for photo in batch.photos}
        rows = []
        for result in client.try_both(a, b, batch.files).results:
            data = by_name.get(result.filename)
            small = thumbnail(data) if data and thumbnails_left > 0 else None
            thumbnails_left -= small is not None
            if isinstance(result, BatchFailure):
                rows.append(Tried(result.filename, small, None, result.error.detail))
            else:
                rows.append(Tried(result.filename, small, result, None))
        return rows

    upload = BackgroundUpload(
        upload_batches.split(queue, keep_folders=True),
        total,
        send=send,
        rejected=lambda name, reason: Tried(name, None, None, reason),
        is_available=lambda: is_available(api),
    )
    return VersionTrial(a, b, upload)


def on_kept(api: ApiClient, thumbnails: Thumbnails, a: str, b: str) -> VersionTrial:
    """The newest stored photos of the last days, graded by both versions. Raises ApiError."""
    results = ModelClient(api).try_both_on_kept(a, b, KEPT_DAYS, MAX_KEPT).results
    paths = [photo_path(row.prediction_id or "") for row in results if isinstance(row, TrialPhoto)]
    small = iter(thumbnails.get(paths))
    rows = []
    for result in results:
        if isinstance(result, BatchFailure):
            rows.append(Tried(result.filename, None, None, result.error.detail))
        else:
            data = next(small)
            rows.append(Tried(result.filename, thumbnail(data) if data else None, result, None))
    return VersionTrial(a, b, None, rows)
