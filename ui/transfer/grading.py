"""Grading a batch of photos in the background; its rows, counts and CSV."""

import csv
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import StringIO

import fruits
from api_models import BatchFailure, HistoryItem, Prediction
from client import ApiClient
from errors import ApiError
from formatting import SEVERAL, percent, short_grade
from history import as_prediction
from photos import Photo, thumbnail
from plain_text import as_cell

from transfer import upload_batches
from transfer.background_upload import BackgroundUpload
from transfer.upload_batches import UploadBatch

# Each is a few kilobytes, and all are sent to the browser with the table.
MAX_THUMBNAILS = 1000
# Without it, spreadsheets read a CSV in their local code page.
_BYTE_ORDER_MARK = "\ufeff"
_COLUMNS = (
    # First, because programs that do not know the byte order mark read it as part of this name.
    "row",
    "filename",
    "grade",
    "confidence_percent",
    "predicted_class",
    "confidence",
    "freshness_score",
    "freshness_level",
    "recognised",
    "fruits",
    "not_known",
    "worst_level",
    "error",
    "prediction_id",
    "model_version",
)
# Languages with a decimal comma wherever they are spoken, apart from the countries below.
_COMMA_LANGUAGES = {
    *("az", "be", "bg", "bs", "ca", "cs", "da", "de", "el", "es", "et"),
    *("eu", "fi", "fo", "fr", "gl", "hr", "hu", "hy", "id", "is", "it"),
    *("ka", "kk", "lt", "lv", "mk", "nb", "nl", "nn", "no", "pl", "pt"),
    *("ro", "ru", "sk", "sl", "sq", "sr", "sv", "tr", "uk", "uz", "vi"),
}
_POINT_COUNTRIES = {
    *("de-CH", "de-LI", "es-419", "es-DO", "es-GT", "es-HN", "es-MX", "es-NI"),
    *("es-PA", "es-PE", "es-PR", "es-SV", "es-US", "fr-CH", "it-CH", "nl-US"),
}
# Countries where English is used with a decimal comma.
_COMMA_COUNTRIES = {"en-AT", "en-BE", "en-DE", "en-DK", "en-FI", "en-NL", "en-SE", "en-ZA"}
_OF_A_FRUIT = ("predicted_class", "freshness_score", "freshness_level")


@dataclass(frozen=True)
class Graded:
    """One file of the batch, with its prediction or its error."""

    name: str
    thumbnail: str | None
    prediction: Prediction | None
    error: str | None


def start(api: ApiClient, files: Iterable[Photo], batch_id: str) -> BackgroundUpload[Graded]:
    """Start grading photos and zips of photos in the background, as one batch."""
    queue = deque(files)
    total = upload_batches.count_photos(queue)
    return BackgroundUpload(
        upload_batches.split(queue, keep_folders=True),
        total,
        send=_sender(api, batch_id),
        rejected=lambda name, reason: Graded(name, None, None, reason),
        is_available=lambda: is_available(api),
    )


def restored(item: HistoryItem, thumbnail: str | None) -> Graded:
    """A row of a batch, from the history."""
    return Graded(item.filename, thumbnail, as_prediction(item), None)


def is_available(api: ApiClient) -> bool:
    """Whether the API is up."""
    try:
        api.health()
    except ApiError:
        return False
    return True


def by_class(rows: Sequence[Graded]) -> dict[str | None, int]:
    """Photos per class, most first; None stands for those not recognised."""
    counts = Counter(class_of(row.prediction) for row in rows if row.prediction)
    return dict(counts.most_common())


def class_of(prediction: Prediction) -> str | None:
    """Its class, or SEVERAL; None if it was not recognised."""
    if prediction.several:
        return SEVERAL
    return prediction.predicted_class if prediction.recognised else None


def level_of(prediction: Prediction) -> str | None:
    """Its level, or the worst level of several fruits; None if there is none."""
    if prediction.several:
        return fruits.worst_level(prediction)
    return prediction.freshness_level if prediction.recognised else None


def has_known_fruit(prediction: Prediction) -> bool:
    """Whether it shows a known class; for several fruits, whether any of them is known."""
    if prediction.several and prediction.instances is not None:
        return any(fruit.recognised for fruit in prediction.instances)
    return prediction.several or prediction.recognised


def grade_of(prediction: Prediction) -> str:
    """The grade in words; for several fruits, their counts by level."""
    return fruits.headline(prediction) if prediction.several else short_grade(prediction)


def has_decimal_comma(locale: str) -> bool:
    """Whether spreadsheets use a decimal comma in the country of a language tag such as `pt-BR`.
    They then read a CSV with commas as one column, and 0.97 as text or a date.
    """
    language, _, rest = locale.replace("_", "-").partition("-")
    name = f"{language.lower()}-{rest.rpartition('-')[2].upper()}"
    is_usual = language.lower() in _COMMA_LANGUAGES and name not in _POINT_COUNTRIES
    return is_usual or name in _COMMA_COUNTRIES


def as_csv(rows: Sequence[Graded], *, decimal_comma: bool = False) -> str:
    """The rows as CSV that spreadsheets open: with a byte order mark, and without formulas.

    With `decimal_comma`, semicolons separate the cells. Unrecognised photos and fruits have no
    class or confidence and are not listed among the fruits, so that nobody counts them.
    """
    text = StringIO()
    text.write(_BYTE_ORDER_MARK)
    writer = csv.DictWriter(
        text, _COLUMNS, extrasaction="ignore", delimiter=";" if decimal_comma else ","
    )
    writer.writeheader()
    for number, row in enumerate(rows, start=1):
        values = {
            **(_fields(row.prediction) if row.prediction else {}),
            "row": number,
            "filename": row.name,
            "error": row.error,
        }
        cells = {name: _escape_formula(value) for name, value in values.items()}
        writer.writerow(_with_commas(cells) if decimal_comma else cells)
    return text.getvalue()


def _fields(prediction: Prediction) -> dict[str, object]:
    """The cells of a prediction, both in words as on the screen and as the API gave them."""
    fields = prediction.model_dump(include=set(_COLUMNS))
    if prediction.several:
        # With several fruits, the grade of the whole photo does not describe any of them.
        fields |= dict.fromkeys((*_OF_A_FRUIT, "confidence"))
    elif not prediction.recognised:
        fields |= dict.fromkeys((*_OF_A_FRUIT, "confidence"))
    known = fruits.count_known(prediction)
    is_graded = prediction.recognised and not prediction.several
    return {
        **fields,
        "grade": grade_of(prediction),
        "confidence_percent": percent(prediction.confidence) if is_graded else None,
        "fruits": known,
        "not_known": None if known is None else len(prediction.instances or []) - known,
        "worst_level": fruits.worst_level(prediction) if prediction.several else None,
    }


def _with_commas(cells: dict[str, object]) -> dict[str, object]:
    """The cells with decimal commas in all numbers, including percentages."""
    return {
        name: str(value).replace(".", ",")
        if isinstance(value, float) or (value and name == "confidence_percent")
        else value
        for name, value in cells.items()
    }


def _escape_formula(value: object) -> object:
    return as_cell(value) if isinstance(value, str) else value


def _sender(api: ApiClient, batch_id: str) -> Callable[[UploadBatch], Sequence[Graded]]:
    thumbnails_left = MAX_THUMBNAILS

    def send(batch: UploadBatch) -> list[Graded]:
        nonlocal thumbnails_left
        results = api.predict_batch(
            batch.files, instances=api.finds_fruits(), batch_id=batch_id, key=batch.key
        )
        # The API may skip files of a zip, so only the name identifies a result there.
        in_order = batch.files == batch.photos
        by_name = {photo.name: photo.data for photo in batch.photos}
        rows = []
        for index, result in enumerate(results):
            data = batch.photos[index].data if in_order else by_name.get(result.filename)
            small = thumbnail(data) if data and thumbnails_left > 0 else None
            thumbnails_left -= small is not None
            if isinstance(result, BatchFailure):
                rows.append(Graded(result.filename, small, None, result.error.detail))
            else:
                rows.append(Graded(result.filename, small, result, None))
        return rows

    return send
