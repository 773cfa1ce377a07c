"""Tables as sheets of a workbook (XLSX) that any spreadsheet opens correctly."""

import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from api.core.formatting import spreadsheet_text

Cell = str | int | float | None
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WIDTH = 16


class WorkbookWriter:
    """Writes text as text that never begins like a formula, so it is safe to copy too. Columns
    whose name is in `shares` (0 to 1) are written in percent.
    """

    def __init__(self, workbook: Any, shares: Collection[str]) -> None:
        self._workbook, self._shares = workbook, shares
        self._bold = workbook.add_format({"bold": True})
        self._percent = workbook.add_format({"num_format": '0.0" %"'})

    def add_sheet(self, title: str) -> Any:
        return self._workbook.add_worksheet(title)

    def add_table(self, title: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """A sheet of one table, whose header stays in sight."""
        sheet = self.add_sheet(title)
        sheet.set_column(0, len(head) - 1, _WIDTH)
        sheet.freeze_panes(1, 0)
        self.write_table(sheet, 0, head, rows)

    def write_pair(self, sheet: Any, row: int, name: str, text: str) -> None:
        sheet.write_string(row, 0, name, self._bold)
        sheet.write_string(row, 1, spreadsheet_text(text))

    def write_table(
        self, sheet: Any, start: int, head: Sequence[str], rows: Iterable[Sequence[Cell]]
    ) -> None:
        """A header in row `start`, and the rows below it."""
        for column, name in enumerate(head):
            sheet.write_string(start, column, spreadsheet_text(name), self._bold)
        for row, cells in enumerate(rows, start + 1):
            for column, (name, cell) in enumerate(zip(head, cells, strict=True)):
                if isinstance(cell, str):
                    sheet.write_string(row, column, spreadsheet_text(cell))
                elif cell is not None and name in self._shares:
                    sheet.write_number(row, column, 100 * cell, self._percent)
                elif cell is not None:
                    sheet.write_number(row, column, cell)


@contextmanager
def workbook(stream: io.BytesIO, shares: Collection[str]) -> Iterator[WorkbookWriter]:
    """A workbook that is written to `stream` at the end."""
    # Imported here: few requests need it.
    import xlsxwriter  # noqa: PLC0415

    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(stream, options) as book:
        yield WorkbookWriter(book, shares)
