"""Upload of training photos, with the outcome of each file."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from api_models import UploadReport
from client import ApiClient
from formatting import use_label, with_class_labels
from photos import Photo

from transfer import upload_batches
from transfer.background_upload import BackgroundUpload
from transfer.grading import is_available
from transfer.upload_batches import UploadBatch

Outcome = Literal["added", "known", "refused"]
OUTCOMES: tuple[Outcome, ...] = ("added", "known", "refused")


@dataclass(frozen=True)
class FileOutcome:
    """The outcome of one file; `class_name` is the class that it has now, if any."""

    name: str
    outcome: Outcome
    class_name: str | None
    message: str


def start(
    api: ApiClient, files: Iterable[Photo], class_name: str | None, *, new_class: bool = False
) -> BackgroundUpload[FileOutcome]:
    """Start uploading photos of a class in the background.

    Without a class, the files are zips whose folders name the classes. `new_class` is as in
    `ApiClient`.
    """
    queue = deque(files)
    total = upload_batches.count_photos(queue)

    def send(batch: UploadBatch) -> list[FileOutcome]:
        return _outcomes(api.upload_training_data(batch.files, class_name, new_class=new_class))

    return BackgroundUpload(
        upload_batches.split(queue, keep_folders=class_name is None),
        total,
        send=send,
        rejected=lambda name, reason: FileOutcome(name, "refused", None, reason),
        is_available=lambda: is_available(api),
    )


def by_outcome(rows: Sequence[FileOutcome]) -> Counter[Outcome]:
    return Counter(row.outcome for row in rows)


def _outcomes(report: UploadReport) -> list[FileOutcome]:
    return [
        *(
            FileOutcome(item.filename, "added", item.class_name, f"{use_label(item.split)}.")
            for item in report.uploaded_files
        ),
        *(
            FileOutcome(
                item.filename,
                "known",
                item.class_name,
                with_class_labels(item.message, [item.class_name]),
            )
            for item in report.duplicates
        ),
        *(FileOutcome(item.filename, "refused", None, item.detail) for item in report.errors),
    ]
