"""Reports of an inspection, read by libraries."""

import io
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import openpyxl
import pypdf
import pytest
from fastapi.testclient import TestClient

from api.core.formatting import spreadsheet_text
from api.core.workbook import XLSX
from api.http.endpoints.inspection_reports import PDF
from api.inspections import report_pdf
from api.predictions.retention import sweep_predicted
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.inspections.crates import FRUITS, add, get, opened, photo, same_again
from tests.predictions.test_endpoints import assert_problem

LOT = "Б-17 Čačak Ω"
EVIL = '=HYPERLINK("http://foreign.example")'


@pytest.fixture(scope="module")
def inspection_id(grading: TestClient) -> str:
    """An inspection with a photo that does not count, and two corrections."""
    inspection_id = opened(grading, lot=LOT, supplier=EVIL)
    first, *_, again = add(grading, inspection_id, photo(1), photo(2), photo(3), same_again(1))[
        "added"
    ]
    url = f"/inspections/{inspection_id}/photos"
    grading.patch(f"{url}/{again['id']}", json={"counted": False})
    grading.put(f"{url}/{first['id']}/fruits/1", json={"said": "rotten"})
    grading.put(f"{url}/{first['id']}/fruits/2", json={"said": "no_fruit"})
    return inspection_id


def download(client: TestClient, inspection_id: str, kind: str) -> bytes:
    response = client.get(f"/inspections/{inspection_id}/report.{kind}")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == {"pdf": PDF, "xlsx": XLSX}[kind]
    assert response.headers["content-disposition"].startswith('attachment; filename="inspection')
    return response.content


def read_pdf(data: bytes) -> tuple[str, list[Any]]:
    """The text and the pictures of all pages."""
    pages = pypdf.PdfReader(io.BytesIO(data)).pages
    text = " ".join(page.extract_text() for page in pages)
    return " ".join(text.split()), [image for page in pages for image in page.images]


def read_xlsx(data: bytes) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each sheet."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def test_pdf_has_verdict_shares_and_pictures(grading: TestClient, inspection_id: str) -> None:
    inspection = get(grading, f"/inspections/{inspection_id}")
    text, pictures = read_pdf(download(grading, inspection_id, "pdf"))
    assert f"Inspection of lot {LOT}" in text
    assert inspection["verdict"]["message"] in text
    counts = inspection["counts"]
    for level, label in (("rotten", "Rotten"), ("past_best", "Past its best"), ("fresh", "Fresh")):
        assert f"{label} {counts[level]} " in text
    assert "4; 1 not counted, as they show the same fruits" in text
    assert "Looked at by a person 2" in text
    assert "Page 1" in text
    bad = sum(counts.values()) - counts["fresh"]
    assert len(pictures) == 4 + min(bad, report_pdf.MAX_FRUITS)
    assert all(picture.name.endswith(".jpg") for picture in pictures)


@pytest.mark.parametrize(
    ("lot", "plain"),
    [
        (LOT, "inspection-17-Cacak"),
        ("苹果 12/3", "inspection-12-3"),
        ("りんご", "inspection"),
        ('Äpfel "1";\r\nX: y', "inspection-Apfel-1-X-y"),
        ("007", "inspection-007"),
    ],
)
def test_reports_are_named_after_their_lot(grading: TestClient, lot: str, plain: str) -> None:
    inspection_id = opened(grading, lot=lot)
    for kind in ("pdf", "xlsx"):
        answer = grading.get(f"/inspections/{inspection_id}/report.{kind}")
        first, _, second = answer.headers["content-disposition"].partition("; filename*=UTF-8''")
        assert first == f'attachment; filename="{plain}.{kind}"'
        words = re.findall(r"\w+", lot)
        assert unquote(second) == f"inspection-{'-'.join(words)}.{kind}".replace("\r\n", "")
        assert second.isascii()


def test_pdf_says_which_letters_it_lacks(grading: TestClient, inspection_id: str) -> None:
    note = "the workbook has them"
    assert note not in read_pdf(download(grading, inspection_id, "pdf"))[0]
    for facts in ({"lot": "苹果 12"}, {"lot": "12", "supplier": "りんご園"}):
        other = opened(grading, **facts)
        assert note in read_pdf(download(grading, other, "pdf"))[0]


def test_workbook_has_every_fruit_and_photo(grading: TestClient, inspection_id: str) -> None:
    inspection = get(grading, f"/inspections/{inspection_id}")
    sheets = read_xlsx(download(grading, inspection_id, "xlsx"))
    assert list(sheets) == ["Inspection", "Fruits", "Photos"]
    facts = {row[0]: row[1] for row in sheets["Inspection"] if row[0]}
    assert facts["Lot"] == LOT
    assert facts["What it means"] == inspection["verdict"]["message"]
    head, *fruits = sheets["Fruits"]
    levels = [row[head.index("Level")] for row in fruits]
    assert len(fruits) == 3 * FRUITS - 1 == sum(inspection["counts"].values())
    assert levels.count("Rotten") == inspection["counts"]["rotten"]
    assert [row[head.index("Said by")] for row in fruits].count("a person") == 1
    shares = {row[0]: row[1:] for row in sheets["Inspection"]}
    for share in inspection["shares"]:
        label = {"rotten": "Rotten", "past_best": "Past its best", "fresh": "Fresh"}[share["level"]]
        assert shares[label][0] == share["count"]
        assert shares[label][1] == pytest.approx(100 * share["share"])
        assert shares[label][4] == (share["limit"] and pytest.approx(100 * share["limit"]))
    photos = sheets["Photos"][1:]
    assert [row[0] for row in photos] == [1, 2, 3, 4]
    assert [row[3][:3].strip() for row in photos] == ["yes", "yes", "yes", "no:"]


def test_no_cell_is_a_formula(grading: TestClient, inspection_id: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(download(grading, inspection_id, "xlsx")))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    texts = [str(cell.value) for cell in cells if cell.data_type == "s"]
    assert spreadsheet_text(EVIL) in texts
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@"))]
    assert not any(cell.hyperlink for cell in cells)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("＝1", "'＝1"),  # noqa: RUF001
        ("a;=1", "a;'=1"),
        ("A-17", "A-17"),
        ("5 % = much", "5 % = much"),
    ],
)
def test_formulas_are_escaped_for_spreadsheets(text: str, safe: str) -> None:
    assert spreadsheet_text(text) == safe


def test_report_of_an_inspection_without_photos(grading: TestClient) -> None:
    inspection_id = opened(grading)
    text, pictures = read_pdf(download(grading, inspection_id, "pdf"))
    assert "Photograph about 88 fruits" in text
    assert not pictures
    assert len(read_xlsx(download(grading, inspection_id, "xlsx"))["Fruits"]) == 1


def test_photos_beyond_the_most_are_counted(
    grading: TestClient, inspection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_pdf, "MAX_PHOTOS", 1)
    monkeypatch.setattr(report_pdf, "MAX_FRUITS", 2)
    text, pictures = read_pdf(download(grading, inspection_id, "pdf"))
    assert "And 3 more photos" in text
    assert len(pictures) == 3


@pytest.mark.parametrize("unreadable", [False, True], ids=["swept", "on a bad sector"])
def test_photos_that_are_no_longer_kept_are_left_out(
    grading: TestClient, state: Settings, *, unreadable: bool
) -> None:
    inspection_id = opened(grading)
    add(grading, inspection_id, photo(6 if unreadable else 5))
    if unreadable:
        [*_, newest] = sorted(Path(state.storage).glob("predicted/*/*"), key=os.path.getmtime)
        newest.unlink()
        newest.mkdir()
    else:
        database = Database(state.database)
        sweep_predicted(database, Blobs(state.storage), -1)
        database.close()
    text, pictures = read_pdf(download(grading, inspection_id, "pdf"))
    assert not pictures
    assert "Photos that are deleted or damaged are not shown" in text
    assert len(read_xlsx(download(grading, inspection_id, "xlsx"))["Fruits"]) == 1 + FRUITS


@pytest.mark.parametrize("kind", ["pdf", "xlsx"])
def test_unknown_inspection_has_no_report(grading: TestClient, kind: str) -> None:
    response = grading.get(f"/inspections/{'0' * 32}/report.{kind}")
    assert_problem(response, 404, "inspection-not-found")
