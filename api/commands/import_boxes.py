"""Import photos with bounding boxes into the catalog: a folder or zip in Pascal VOC, COCO or YOLO
format.

Reads DATABASE_URL, STORAGE_URL and RIPELINE_STATE_DIR like the service, which may be running.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from api.catalog.archive import UploadLimits
from api.catalog.box_upload import BoxedUpload, BoxedUploadReport
from api.catalog.boxed_photos import BoxedPhotoStore
from api.catalog.class_names import ClassNames
from api.catalog.duplicate_index import DuplicateIndex, KnownPhotos, load_training_index
from api.catalog.service import open_catalog
from api.commands.cli_args import path
from api.core.errors import CatalogUnavailableError, ProblemError
from api.core.formatting import number
from api.settings import Settings, get_settings
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database

COMMAND = "import-boxes"
MAX_LINES = 20


class NothingToImportError(ProblemError):
    code = "nothing-to-import"


def import_boxes(settings: Settings, source: Path, *, new_class: bool = False) -> BoxedUploadReport:
    """Raises ProblemError, OSError, UnusableCatalogError."""
    database, blobs = Database(settings.database), Blobs(settings.storage)
    try:
        open_catalog(database, blobs)
        training_index = load_training_index(settings.model_dir)
        with database.reading() as session:
            index = DuplicateIndex(session, KnownPhotos(blobs, training_index, None))
        limits = UploadLimits.of(settings)
        store = BoxedPhotoStore(database, blobs, index, settings.max_pixels)
        classes = ClassNames(database, training_index, new_class)
        return BoxedUpload(store, classes, limits).store_path(source)
    except UNAVAILABLE as error:
        raise CatalogUnavailableError() from error
    finally:
        database.close()


def main(arguments: Sequence[str]) -> int:
    """Raises what `import_boxes` raises, NothingToImportError."""
    parser = argparse.ArgumentParser(
        prog=f"python -m api.commands.dataset {COMMAND}", description=__doc__
    )
    parser.add_argument(
        "folder", type=path, help="folder or zip with the photos and their annotation files"
    )
    parser.add_argument(
        "--new-class",
        action="store_true",
        help="accept new classes whose names resemble those of known classes",
    )
    parsed = parser.parse_args(arguments)
    if not parsed.folder.exists():
        raise NothingToImportError(f"{parsed.folder}: there is no such folder or zip.")
    report = import_boxes(get_settings(), parsed.folder, new_class=parsed.new_class)
    taken = report.stored or report.known
    if not (taken or report.errors):
        raise NothingToImportError(
            f"There are no photos in {parsed.folder}. Name a folder or zip of photos and their "
            "files of boxes."
        )
    print(
        f"{number(len(report.stored), 'photo')} stored with "
        f"{number(report.boxes, 'box', 'boxes')}, {len(report.known)} known already, "
        f"{len(report.errors)} refused."
    )
    for refused in report.errors[:MAX_LINES]:
        print(f"  {refused.filename}: {refused.detail}")
    if (more := len(report.errors) - MAX_LINES) > 0:
        print(f"  and {more} more")
    return 0 if taken else 1
