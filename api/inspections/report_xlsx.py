"""A report of an inspection as a workbook: the verdict, all fruits, and all photos."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from api.core.formatting import spreadsheet_text
from api.inspections.report import (
    DECISIONS,
    LEVEL_LABELS,
    Report,
    describe,
    fruit_name,
    real_fruits,
)
from api.inspections.repository import level_of

Cell = str | int | float | None
SHARES = ("Level", "Fruits", "Share", "In the lot, from", "In the lot, to", "Tolerated")
FRUITS = ("Photo", "Fruit", "Level", "Name", "Said by", "Sure to", "Freshness", "File")
PHOTOS = ("Photo", "File", "Added (UTC)", "Counts", "Fruits", "Found, not graded", "Model")
_PERCENT = ("Share", "In the lot, from", "In the lot, to", "Tolerated", "Sure to")


def report_xlsx(report: Report) -> bytes:
    """Texts are written as texts, and none begins like a formula, also where it is copied."""
    # Imported here: few requests need it.
    import xlsxwriter  # noqa: PLC0415

    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(stream, options) as workbook:
        bold = workbook.add_format({"bold": True})
        percent = workbook.add_format({"num_format": '0.0" %"'})
        formats = {"bold": bold, "percent": percent}
        sheet = workbook.add_worksheet("Inspection")
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 5, 18)
        verdict = [
            ("Verdict", DECISIONS[report.verdict.decision]),
            ("What it means", report.message),
        ]
        pairs = [*verdict, *report.details]
        for row, (name, text) in enumerate(pairs):
            sheet.write_string(row, 0, name, bold)
            sheet.write_string(row, 1, spreadsheet_text(text))
        _write_table(sheet, len(pairs) + 1, [SHARES, *_share_rows(report)], formats)
        for title, head, rows in (
            ("Fruits", FRUITS, _fruit_rows(report)),
            ("Photos", PHOTOS, _photo_rows(report)),
        ):
            sheet = workbook.add_worksheet(title)
            sheet.set_column(0, len(head) - 1, 16)
            sheet.freeze_panes(1, 0)
            _write_table(sheet, 0, [head, *rows], formats)
    return stream.getvalue()


def _write_table(
    sheet: Any, start: int, table: Sequence[Sequence[Cell]], formats: Mapping[str, Any]
) -> None:
    """A head and its rows. Percentages are numbers from 0 to 100, as a person reads them."""
    head = table[0]
    for row, cells in enumerate(table):
        for column, cell in enumerate(cells):
            at = (start + row, column)
            if isinstance(cell, str):
                text = spreadsheet_text(cell)
                sheet.write_string(*at, text, formats["bold"] if row == 0 else None)
            elif cell is not None:
                is_share = head[column] in _PERCENT
                value = 100 * cell if is_share else cell
                sheet.write_number(*at, value, formats["percent"] if is_share else None)


def _share_rows(report: Report) -> list[Sequence[Cell]]:
    limits = report.profile.limits
    return [
        (LEVEL_LABELS[level], one.count, one.share, one.low, one.high, limits.get(level))
        for level, one in report.shares.items()
    ]


def _fruit_rows(report: Report) -> list[Sequence[Cell]]:
    """Those that count, photo by photo."""
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
