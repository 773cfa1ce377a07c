"""The mistakes of a version as a zip: a table, and the photos that the catalog still has."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from api.catalog import boxed_repository, repository
from api.core.formatting import spreadsheet_text
from api.core.streamed_zip import StreamedZip
from api.insights.report_schemas import CatalogPhoto, Mistake
from api.storage.blobs import Blobs
from api.storage.db import Database

TABLE = "mistakes.csv"
COLUMNS = (
    *("file", "filename", "label", "graded_as", "confidence", "photograph", "source"),
    *("x_min", "y_min", "x_max", "y_max"),
)


def mistakes_zip(database: Database, blobs: Blobs, mistakes: Sequence[Mistake]) -> Iterator[bytes]:
    """The parts of the zip. A photo with several mistakes is in it once. For a photo that is not in
    the catalog, was removed meanwhile, or cannot be read, the table names no file.
    """
    archive, files = StreamedZip(), dict[str, str]()
    for photo in filter(None, (mistake.photo for mistake in mistakes)):
        if (key := _key(photo)) in files:
            continue
        blob = _blob(database, photo)
        data = blob and blobs.get_if_readable(blob)
        files[key] = f"photos/{key}{PurePosixPath(blob).suffix}" if blob and data else ""
        if data:
            yield archive.add(files[key], data)
    yield archive.add(TABLE, _table(mistakes, files), compress=True)
    yield archive.close()


def _blob(database: Database, photo: CatalogPhoto) -> str | None:
    """None if the photo was removed meanwhile."""
    with database.reading() as session:
        try:
            if photo.boxed_photo_id:
                return boxed_repository.get(session, photo.boxed_photo_id).row.blob
            return repository.get_image(session, photo.image_id or "").blob
        except (repository.ImageNotFoundError, boxed_repository.BoxedPhotoNotFoundError):
            return None


def _table(mistakes: Sequence[Mistake], files: dict[str, str]) -> bytes:
    """CSV with a byte order mark, without which Excel assumes another encoding."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for mistake in mistakes:
        texts = {
            "file": files[_key(mistake.photo)] if mistake.photo else "",
            "filename": mistake.photo.filename if mistake.photo else "",
            "label": mistake.class_name,
            "graded_as": mistake.predicted_class,
            "photograph": mistake.photograph,
            "source": mistake.source,
        }
        row: dict[str, object] = {name: spreadsheet_text(cell) for name, cell in texts.items()}
        box = mistake.box.model_dump() if mistake.box else {}
        writer.writerow({**row, "confidence": mistake.confidence, **box})
    return text.getvalue().encode("utf-8-sig")


def _key(photo: CatalogPhoto) -> str:
    return photo.boxed_photo_id or photo.image_id or ""
