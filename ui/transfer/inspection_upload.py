"""Adding photos to an inspection in the background, with the outcome of each file."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from api_models import AddedPhotos
from client import ApiClient
from formatting import pluralize
from inspection_client import InspectionClient
from photos import Photo

from transfer import upload_batches
from transfer.background_upload import BackgroundUpload
from transfer.grading import is_available
from transfer.upload_batches import UploadBatch

Outcome = Literal["added", "known", "refused"]


@dataclass(frozen=True)
class AddedFile:
    """What became of one file."""

    name: str
    outcome: Outcome
    message: str = ""


def start(
    api: ApiClient, inspection_id: str, files: Iterable[Photo]
) -> BackgroundUpload[AddedFile]:
    """Start adding photos or zips of photos, one by one, since grading all fruits of a photo takes
    long. A photo whose response was lost may be sent again: it counts only once.
    """
    queue = deque(files)
    total = upload_batches.count_photos(queue)
    client = InspectionClient(api)

    def send(batch: UploadBatch) -> list[AddedFile]:
        return _outcomes(client.add(inspection_id, batch.files))

    return BackgroundUpload(
        upload_batches.split(queue, keep_folders=False, most=1),
        total,
        send=send,
        rejected=lambda name, reason: AddedFile(name, "refused", reason),
        is_available=lambda: is_available(api),
    )


def describe(files: Sequence[AddedFile]) -> str:
    """How many files were added: "3 photos added, 1 was here already"."""
    outcomes = [file.outcome for file in files]
    added, known = outcomes.count("added"), outcomes.count("known")
    parts = [f"{pluralize(added, 'photo')} added"]
    if known:
        parts.append(f"{known} {'was' if known == 1 else 'were'} here already, and count once")
    return ", ".join(parts)


def _outcomes(answer: AddedPhotos) -> list[AddedFile]:
    return [
        *(AddedFile(photo.filename, "added") for photo in answer.added),
        *(AddedFile(photo.filename, "known") for photo in answer.known),
        *(AddedFile(one.filename, "refused", one.error.detail) for one in answer.errors),
    ]
