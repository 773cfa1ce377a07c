"""A report of an inspection as a workbook: the verdict, all fruits, and all photos."""

import io
from collections.abc import Sequence

from api.core.workbook import Cell, workbook
from api.inspections.report import (
    DECISIONS,
    LEVEL_LABELS,
    Report,
    describe,
    fruit_name,
    real_fruits,
)
from api.inspections.repository import level_of

SHARES = ("Level", "Fruits", "Share", "In the lot, from", "In the lot, to", "Tolerated")
FRUITS = ("Photo", "Fruit", "Level", "Name", "Said by", "Confidence", "Freshness", "File")
PHOTOS = ("Photo", "File", "Added (UTC)", "Counts", "Fruits", "Found, not graded", "Model")
_PERCENT = ("Share", "In the lot, from", "In the lot, to", "Tolerated", "Confidence")


def report_xlsx(report: Report) -> bytes:
    stream = io.BytesIO()
    with workbook(stream, _PERCENT) as book:
        sheet = book.add_sheet("Inspection")
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 5, 18)
        verdict = [
            ("Verdict", DECISIONS[report.verdict.decision]),
            ("What it means", report.message),
        ]
        pairs = [*verdict, *report.details]
        for row, (name, text) in enumerate(pairs):
            book.write_pair(sheet, row, name, text)
        book.write_table(sheet, len(pairs) + 1, SHARES, _share_rows(report))
        book.add_table("Fruits", FRUITS, _fruit_rows(report))
        book.add_table("Photos", PHOTOS, _photo_rows(report))
    return stream.getvalue()


def _share_rows(report: Report) -> list[Sequence[Cell]]:
    limits = report.profile.limits
    return [
        (LEVEL_LABELS[level], one.count, one.share, one.low, one.high, limits.get(level))
        for level, one in report.shares.items()
    ]


def _fruit_rows(report: Report) -> list[Sequence[Cell]]:
    """The fruits that count, photo by photo."""
    return [
        (
            photo.row.number,
            fruit.number,
            LEVEL_LABELS[level_of(fruit)],
            fruit_name(fruit, report.inspection.kind),
            "a person" if fruit.said else "the grader",
            None if fruit.said or not fruit.recognised else fruit.confidence,
            None if fruit.freshness_score is None else round(100 * fruit.freshness_score),
            photo.prediction.filename,
        )
        for photo in report.counted
        for fruit in real_fruits(photo)
    ]


def _photo_rows(report: Report) -> list[Sequence[Cell]]:
    return [
        (
            photo.row.number,
            photo.prediction.filename,
            f"{photo.prediction.created_at:%Y-%m-%d %H:%M}",
            "no: the same fruits as another" if photo.row.counted is False else "yes",
            describe(real_fruits(photo)),
            photo.row.ungraded,
            photo.prediction.model_version,
        )
        for photo in report.photos
    ]
