"""`/inspections/{id}/report.pdf` and `/inspections/{id}/report.xlsx`."""

import re
import unicodedata
from urllib.parse import quote

from fastapi import APIRouter, Response

from api.core.formatting import printable
from api.core.workbook import XLSX
from api.http.deps import BlobsDep, DatabaseDep
from api.http.endpoints.inspections import INSPECTION
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.inspections import repository
from api.inspections.acceptance import Tally
from api.inspections.report import Report
from api.inspections.report_pdf import report_pdf
from api.inspections.report_xlsx import report_xlsx
from api.storage.db import Database, now

PDF = "application/pdf"
router = APIRouter(route_class=CheckedRoute, tags=["inspections"], responses=responses(503))


@router.get(
    f"{INSPECTION}/report.pdf",
    summary="Get the report of an inspection as PDF",
    response_class=Response,
    responses={200: {"content": {PDF: {}}}, **responses(404, 422)},
)
def pdf(database: DatabaseDep, blobs: BlobsDep, inspection_id: str) -> Response:
    """Download a report with the verdict, the shares, the worst fruits, and those photos that are
    still kept.
    """
    report = _load(database, inspection_id)
    return _download(report_pdf(report, blobs), PDF, report, "pdf")


@router.get(
    f"{INSPECTION}/report.xlsx",
    summary="Get the report of an inspection as a workbook",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}}, **responses(404, 422)},
)
def xlsx(database: DatabaseDep, inspection_id: str) -> Response:
    """Download an Excel workbook with one sheet each for the verdict and shares, all fruits, and
    all photos.
    """
    report = _load(database, inspection_id)
    return _download(report_xlsx(report), XLSX, report, "xlsx")


def _load(database: Database, inspection_id: str) -> Report:
    """Raises InspectionNotFoundError."""
    with database.reading() as session:
        inspection = repository.get(session, inspection_id)
        tally = repository.tallies(session, [inspection_id]).get(inspection_id, Tally())
        photos = repository.all_photos(session, inspection_id)
    return Report(inspection, tally, photos, now())


def _download(data: bytes, media_type: str, report: Report, suffix: str) -> Response:
    # Old clients read the first name, in ASCII, as headers require; browsers read the second.
    words = re.findall(r"\w+", printable(report.inspection.lot))
    lot = unicodedata.normalize("NFKD", "-".join(words)).encode("ascii", "ignore").decode()
    plain = "-".join(filter(None, ("inspection", *re.findall(r"[A-Za-z0-9_]+", lot))))
    full = quote("-".join(("inspection", *words)), safe="")
    headers = {
        "Content-Disposition": (
            f"attachment; filename=\"{plain}.{suffix}\"; filename*=UTF-8''{full}.{suffix}"
        ),
        "Cache-Control": "no-store",
    }
    return Response(data, headers=headers, media_type=media_type)
