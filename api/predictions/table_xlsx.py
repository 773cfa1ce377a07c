"""Recorded predictions as a workbook: a sheet of the photos, and one of the fruits in them."""

import io
from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from api.core.errors import UnprocessableError
from api.core.formatting import words
from api.core.labels import LEVEL_NAMES, Level, read_label
from api.core.workbook import Cell, workbook
from api.predictions import search
from api.predictions.recorded import HistoryItem
from api.predictions.schemas import Instance
from api.predictions.search import Filters, Order

# All rows are in memory, some kilobytes each.
MAX_ROWS = 10_000
_PAGE = 500
PHOTOS = (
    *("Row", "Photo", "Graded (UTC)", "Grade", "Level", "Confidence", "Freshness"),
    *("Fruits found", "Not known", "Worst", "A person said", "Lot", "Class", "Model", "Id"),
)
FRUITS = ("Row", "Photo", "Fruit", "Grade", "Level", "Confidence", "Freshness", "Class")
_SHARES = ("Confidence",)


class TooManyRowsError(UnprocessableError):
    code = "too-many-rows"

    def __init__(self, total: int) -> None:
        super().__init__(
            f"This search finds {total:,} photos, and a workbook takes {MAX_ROWS:,}. Narrow it, "
            "for example to fewer days, or read GET /predictions page by page."
        )


def predictions_xlsx(session: Session, filters: Filters, order: Order) -> bytes:
    """All that a search finds. Raises TooManyRowsError.

    What was not recognised has no class, level or confidence, so that nobody counts it as fruit.
    """
    total = search.count(session, filters)
    if total > MAX_ROWS:
        raise TooManyRowsError(total)
    items = list(enumerate(_items(session, filters, order), start=1))
    stream = io.BytesIO()
    with workbook(stream, _SHARES) as book:
        book.add_table("Photos", PHOTOS, (_photo_row(number, item) for number, item in items))
        fruits = (row for number, item in items for row in _fruit_rows(number, item))
        book.add_table("Fruits", FRUITS, fruits)
    return stream.getvalue()


def _items(session: Session, filters: Filters, order: Order) -> Iterator[HistoryItem]:
    after: str | None = None
    while True:
        found, after = search.find(session, filters, order, after, limit=_PAGE)
        yield from map(HistoryItem.of_found, found)
        if after is None:
            return


def _photo_row(number: int, item: HistoryItem) -> Sequence[Cell]:
    fruits = item.instances
    known = None if fruits is None else sum(fruit.recognised for fruit in fruits)
    worst = None
    if fruits and item.summary and item.summary.worst is not None:
        worst = _level(fruits[item.summary.worst].freshness_level)
    is_one_fruit = item.recognised and not item.several
    return (
        number,
        item.filename,
        f"{item.timestamp:%Y-%m-%d %H:%M:%S}",
        "Several fruits" if item.several else _grade(item),
        *(_measures(item) if is_one_fruit else (None, None, None)),
        known,
        None if fruits is None or known is None else len(fruits) - known,
        worst,
        "not a fruit" if item.dismissed_at else item.label and words(item.label),
        item.lot,
        item.predicted_class if is_one_fruit else None,
        item.model_version,
        item.prediction_id,
    )


def _fruit_rows(number: int, item: HistoryItem) -> Iterator[Sequence[Cell]]:
    for place, fruit in enumerate(item.instances or (), start=1):
        yield (
            number,
            item.filename,
            place,
            _grade(fruit),
            *(_measures(fruit) if fruit.recognised else (None, None, None)),
            fruit.predicted_class if fruit.recognised else None,
        )


def _grade(fruit: HistoryItem | Instance) -> str:
    """ "Fresh apple", "Apple, past its best", "Not known"."""
    if not fruit.recognised:
        return LEVEL_NAMES[None].capitalize()
    label = read_label(fruit.predicted_class)
    if fruit.freshness_level == "past_best" and label.level == "fresh":
        return f"{label.fruit}, {LEVEL_NAMES['past_best']}".capitalize()
    return label.words.capitalize()


def _measures(fruit: HistoryItem | Instance) -> Sequence[Cell]:
    """Level, confidence, and freshness from 0 to 100."""
    score = fruit.freshness_score
    return (
        _level(fruit.freshness_level),
        fruit.confidence,
        None if score is None else round(100 * score),
    )


def _level(level: Level | None) -> str | None:
    return None if level is None else LEVEL_NAMES[level].capitalize()
