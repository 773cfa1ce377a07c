"""Photographs on their way into the training data, and the report of what became of each."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from client import ApiClient
from photos import Photo
from resources import dataset

from transfer import parcels
from transfer.grading import answers
from transfer.parcels import Parcel
from transfer.sending import Sending

Outcome = Literal["added", "known", "refused"]
OUTCOMES: tuple[Outcome, ...] = ("added", "known", "refused")


@dataclass(frozen=True)
class Given:
    """What became of one file. `class_name` is the class that it has now, if any."""

    name: str
    outcome: Outcome
    class_name: str | None
    message: str


def start(api: ApiClient, files: Iterable[Photo], class_name: str | None) -> Sending[Given]:
    """Begin to send photographs of a class, in the background.

    Without a class, the files are zips in which folders name the classes.
    """
    held = deque(files)
    total = parcels.count(held)

    def send(parcel: Parcel) -> list[Given]:
        return _rows(dataset.upload(api, parcel.sent, class_name))

    return Sending(
        parcels.parcels(held, keep_folders=class_name is None),
        total,
        send=send,
        refused=lambda name, reason: Given(name, "refused", None, reason),
        alive=lambda: answers(api),
    )


def by_outcome(rows: Sequence[Given]) -> Counter[Outcome]:
    return Counter(row.outcome for row in rows)


def _rows(report: dataset.UploadReport) -> list[Given]:
    return [
        *(
            Given(item.filename, "added", item.class_name, f"In the {item.split} split.")
            for item in report.uploaded_files
        ),
        *(
            Given(item.filename, "known", item.class_name, item.message)
            for item in report.duplicates
        ),
        *(Given(item.filename, "refused", None, item.detail) for item in report.errors),
    ]
