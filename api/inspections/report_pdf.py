"""A report of an inspection to send: the verdict, the shares, the worst fruits, and the photos."""

import io
import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image

from api.core.formatting import percent, printable
from api.core.labels import Level
from api.inspections.acceptance import Decision
from api.inspections.pictures import crop_fruit, load_picture, with_boxes
from api.inspections.report import (
    DECISIONS,
    LEVEL_LABELS,
    Report,
    describe,
    fruit_name,
    range_of,
    real_fruits,
)
from api.inspections.repository import Photo, level_of
from api.inspections.wording import limit_percent
from api.storage.blobs import Blobs
from api.storage.tables.inspections import InspectionFruitRow

# PDF's built-in fonts lack letters beyond Western European ones.
FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
# With more, the file would be too large to mail.
MAX_PHOTOS, MAX_FRUITS = 60, 12
_COLOURS: dict[Decision, tuple[int, int, int]] = {
    "accept": (47, 125, 79),
    "reject": (176, 58, 46),
    "more": (91, 99, 94),
}
_ORDER: tuple[Level | None, ...] = ("rotten", "past_best", None, "fresh")
# Millimetres.
_MARGIN, _WIDTH, _GAP, _LINE = 15, 180, 4, 5
_TITLE, _CAPTION = 8, 13
_PHOTOS_ACROSS, _FRUITS_ACROSS = 3, 6
Picture = tuple[Image.Image, str]


def report_pdf(report: Report, blobs: Blobs) -> bytes:
    """The PDF. Photos that are no longer kept are left out, with a note."""
    document = _document(report)
    document.add_page()
    _heading(document, report)
    _shares(document, report)
    _details(document, report)
    lost: list[Photo] = []

    def pictures(photo: Photo) -> Image.Image | None:
        picture = load_picture(blobs, photo)
        if picture is None:
            lost.append(photo)
        return picture

    _grid(document, "Worst fruits", _FRUITS_ACROSS, _fruit_pictures(report, pictures))
    shown = report.photos[:MAX_PHOTOS]
    _grid(document, "Photos", _PHOTOS_ACROSS, _photo_pictures(shown, pictures))
    if more := len(report.photos) - len(shown):
        _text(document, f"And {more} more photos, which the workbook lists.")
    if lost or any(photo.prediction.blob is None for photo in report.photos):
        _text(document, "Photos that are deleted or damaged are not shown; their fruits count.")
    return bytes(document.output())


def _document(report: Report) -> Any:
    """An empty document with a footer on each page."""
    # Imported here: slow, and few requests need it.
    from fpdf import FPDF  # noqa: PLC0415

    # They warn about each letter that the font lacks.
    for name in ("fontTools", "fpdf"):
        logging.getLogger(name).setLevel(logging.ERROR)
    foot = f"Lot {printable(report.inspection.lot)}"

    class Document(FPDF):
        def footer(self) -> None:
            self.set_y(-_MARGIN)
            self.set_font(size=8)
            self.set_text_color(91, 99, 94)
            self.cell(text=foot[:80])
            self.cell(w=0, text=f"Page {self.page_no()}", align="R")

    document = Document(format="A4")
    document.set_margin(_MARGIN)
    document.set_auto_page_break(True, margin=_MARGIN + 5)
    document.add_font("DejaVu", fname=FONT)
    document.set_font("DejaVu", size=10)
    document.set_title(f"Inspection of lot {printable(report.inspection.lot)}")
    document.set_creation_date(report.made_at)
    return document


def _heading(document: Any, report: Report) -> None:
    document.set_font(size=18)
    _text(document, f"Inspection of lot {report.inspection.lot}", height=9)
    document.ln(2)
    document.set_fill_color(*_COLOURS[report.verdict.decision])
    document.set_text_color(255, 255, 255)
    document.set_font(size=14)
    _text(document, DECISIONS[report.verdict.decision], height=10, fill=True)
    document.set_font(size=10)
    _text(document, report.message, height=6, fill=True)
    document.set_text_color(0, 0, 0)
    document.set_fill_color(255, 255, 255)
    document.ln(_GAP)


def _shares(document: Any, report: Report) -> None:
    limits = report.profile.limits
    sure = limit_percent(report.profile.confidence)
    rows = [("Level", "Fruits", "Share", f"In the lot ({sure} sure)", "Tolerated")]
    for level, one in report.shares.items():
        share = "" if one.share is None else percent(one.share)
        limit = limit_percent(limits[level]) if level in limits else "any"
        rows.append((LEVEL_LABELS[level], str(one.count), share, range_of(one), limit))
    if report.tally.unknown:
        rows.append((LEVEL_LABELS[None], str(report.tally.unknown), "", "", ""))
    _table(document, rows, (40, 22, 26, 60, 32))


def _details(document: Any, report: Report) -> None:
    _table(document, report.details, (55, 125), heads=False)
    texts = (report.inspection.lot, *(text for row in report.details for text in row))
    known = document.current_font.cmap
    if any(ord(letter) not in known for text in texts for letter in printable(text)):
        _text(document, "Letters that this font lacks appear as boxes; the workbook has them.")


def _table(
    document: Any,
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    *,
    heads: bool = True,
) -> None:
    document.set_font(size=9)
    with document.table(
        col_widths=tuple(widths),
        width=_WIDTH,
        first_row_as_headings=heads,
        borders_layout="HORIZONTAL_LINES",
        line_height=_LINE + 1,
        text_align="LEFT",
        headings_style=_plain(),
    ) as table:
        for row in rows:
            cells = table.row()
            for cell in row:
                cells.cell(printable(cell))
    document.ln(_GAP)


def _plain() -> Any:
    """A header row in regular type: the font here has no bold."""
    from fpdf.fonts import FontFace  # noqa: PLC0415

    return FontFace(emphasis=None, fill_color=(243, 241, 232))


def _fruit_pictures(
    report: Report, load: Callable[[Photo], Image.Image | None]
) -> Iterator[Picture]:
    """The worst fruits; the good ones can be seen in the photos."""
    fruits = [
        (photo, fruit)
        for photo in report.counted
        for fruit in real_fruits(photo)
        if level_of(fruit) != "fresh"
    ]
    fruits.sort(key=lambda one: (_ORDER.index(level_of(one[1])), one[1].freshness_score or 0))
    for photo, fruit in fruits[:MAX_FRUITS]:
        if picture := load(photo):
            yield crop_fruit(picture, photo, fruit), _caption(report, photo, fruit)


def _caption(report: Report, photo: Photo, fruit: InspectionFruitRow) -> str:
    by = ", by a person" if fruit.said else ""
    return f"{fruit_name(fruit, report.inspection.kind)}{by}\nPhoto {photo.row.number}"


def _photo_pictures(
    photos: Sequence[Photo], load: Callable[[Photo], Image.Image | None]
) -> Iterator[Picture]:
    for photo in photos:
        if picture := load(photo):
            counted = "\nnot counted: the same fruits" if photo.row.counted is False else ""
            caption = f"Photo {photo.row.number}: {describe(real_fruits(photo))}{counted}"
            yield with_boxes(picture, photo), caption


def _grid(document: Any, title: str, across: int, pictures: Iterator[Picture]) -> None:
    """Pictures in rows, each with its caption below; nothing without pictures."""
    side = (_WIDTH - (across - 1) * _GAP) / across
    row: list[Picture] = []
    for row in iter(lambda: list(islice(pictures, across)), []):
        heights = [min(side, side * one.height / one.width) for one, _ in row]
        needed = max(heights) + _CAPTION + (_TITLE if title else 0)
        if document.get_y() + needed > document.h - _MARGIN - 5:
            document.add_page()
        if title:
            document.set_font(size=13)
            _text(document, title, height=_TITLE)
            title = ""
        _row(document, row, heights, side)
    if row:
        document.ln(_GAP)


def _row(document: Any, row: Sequence[Picture], heights: Sequence[float], side: float) -> None:
    top = document.get_y()
    document.set_font(size=7)
    for column, ((picture, caption), height) in enumerate(zip(row, heights, strict=True)):
        x = _MARGIN + column * (side + _GAP)
        document.image(_jpeg(picture), x=x, y=top, w=side, h=height, keep_aspect_ratio=True)
        document.set_xy(x, top + height + 1)
        document.multi_cell(w=side, h=3.5, text=_printable_lines(caption), align="L")
    document.set_xy(_MARGIN, top + max(heights) + _CAPTION)


def _jpeg(picture: Image.Image) -> io.BytesIO:
    """A tenth of the size that the document would store otherwise."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=80)
    return stream


def _printable_lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def _text(document: Any, text: str, height: float = _LINE, *, fill: bool = False) -> None:
    """A paragraph over the whole width."""
    document.set_x(_MARGIN)
    document.multi_cell(
        w=_WIDTH,
        h=height,
        text=printable(text),
        align="L",
        fill=fill,
        new_x="LMARGIN",
        new_y="NEXT",
    )
