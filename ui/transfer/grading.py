"""A batch of photographs on its way through the grader, and the table of what came of it."""

import csv
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import StringIO

from answers import Prediction
from client import ApiClient
from photos import Photo, thumbnail
from problems import ApiProblem
from resources import predictions

from transfer import parcels
from transfer.parcels import Parcel
from transfer.sending import Sending

# Each is a few kilobytes, and all go to the browser with the table.
MOST_THUMBNAILS = 1000
_SPREADSHEETS_RUN = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "filename",
    "predicted_class",
    "confidence",
    "freshness_score",
    "freshness_level",
    "recognised",
    "error",
    "prediction_id",
    "model_version",
)


@dataclass(frozen=True)
class Graded:
    """One file of the batch: its prediction, or the error in its place."""

    name: str
    thumbnail: str | None
    prediction: Prediction | None
    error: str | None


def start(api: ApiClient, files: Iterable[Photo]) -> Sending[Graded]:
    """Begin to grade photographs and zips of them, in the background."""
    held = deque(files)
    total = parcels.count(held)
    return Sending(
        parcels.parcels(held, keep_folders=True),
        total,
        send=_sender(api),
        refused=lambda name, reason: Graded(name, None, None, reason),
        alive=lambda: answers(api),
    )


def answers(api: ApiClient) -> bool:
    """Whether the API answers at all."""
    try:
        api.health()
    except ApiProblem:
        return False
    return True


def by_class(rows: Sequence[Graded]) -> dict[str | None, int]:
    """How many of each class, most first; what was not recognised stands under None."""
    found = [row.prediction for row in rows if row.prediction]
    counted = Counter(item.predicted_class if item.recognised else None for item in found)
    return dict(counted.most_common())


def as_csv(rows: Sequence[Graded]) -> str:
    """The rows as a CSV file that no spreadsheet takes for formulas."""
    text = StringIO()
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        fields = row.prediction.model_dump(include=set(_COLUMNS)) if row.prediction else {}
        values = fields | {"filename": row.name, "error": row.error}
        writer.writerow({name: _harmless(value) for name, value in values.items()})
    return text.getvalue()


def _harmless(value: object) -> object:
    risky = isinstance(value, str) and value.startswith(_SPREADSHEETS_RUN)
    return f"'{value}" if risky else value


def _sender(api: ApiClient) -> Callable[[Parcel], Sequence[Graded]]:
    room = MOST_THUMBNAILS

    def send(parcel: Parcel) -> list[Graded]:
        nonlocal room
        results = predictions.grade_many(api, parcel.sent)
        # Of a zip the API may pass files over, so there only the name tells which is which.
        in_order = parcel.sent == parcel.pieces
        of_name = {piece.name: piece.data for piece in parcel.pieces}
        rows = []
        for index, result in enumerate(results):
            data = parcel.pieces[index].data if in_order else of_name.get(result.filename)
            small = thumbnail(data) if data and room > 0 else None
            room -= small is not None
            if isinstance(result, predictions.BatchFailure):
                rows.append(Graded(result.filename, small, None, result.error.detail))
            else:
                rows.append(Graded(result.filename, small, result, None))
        return rows

    return send
