"""Boxed photos: listed, shown, changed, removed, swept and backed up."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.catalog.box_frames import LabelledBox, OtherSizeError, Size, scaled, upright
from api.catalog.boxed_photos import Annotation, BoxedPhotoStore
from api.catalog.boxed_repository import BoxedPhoto
from api.catalog.duplicate_index import DuplicateIndex, KnownPhotos
from api.catalog.photo_files import ORPHAN_AGE, sweep_orphans
from api.catalog.service import remove_images
from api.commands.backup.service import restore, save
from api.core.boxes import Box
from api.core.imaging.decode import TRANSPOSITIONS
from api.model.training_index import TrainingIndex
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.photos import BoxedPhotoRow
from tests.catalog.photographs import Uploader, photo
from tests.synthetic_images import draw_quarters

FRUIT = LabelledBox(Box(1.0, 2.0, 30.0, 40.0), "freshapples")
SENT = {"box": FRUIT.box._asdict(), "class_name": "freshapples"}
URL = "/dataset/boxed-photos"


def box_photo(database: Database, blobs: Blobs, data: bytes) -> BoxedPhoto:
    with database.reading() as session:
        index = DuplicateIndex(session, KnownPhotos(blobs, TrainingIndex.empty(), None))
    store = BoxedPhotoStore(database, blobs, index)
    outcome, boxed = store.add(data, Annotation([FRUIT], True), origin="upload", filename="a.jpg")
    assert outcome == "stored"
    return boxed


@pytest.fixture
def stored(service: TestClient, tmp_path: Path) -> str:
    """The id of a boxed photo of the service."""
    settings = Settings(state_dir=tmp_path / "state", database_url="", storage_url="")
    database = Database(settings.database)
    boxed = box_photo(database, Blobs(settings.storage), photo(1))
    database.close()
    return boxed.row.id


def test_boxed_photo_is_listed_shown_and_counted(service: TestClient, stored: str) -> None:
    page = service.get(URL).json()
    assert (page["total"], [one["id"] for one in page["boxed_photos"]]) == (1, [stored])
    one = service.get(f"{URL}/{stored}").json()
    assert one == page["boxed_photos"][0]
    assert (one["boxes"], one["origin"], one["complete"]) == ([SENT], "upload", True)
    shown = service.get(f"{URL}/{stored}/photograph")
    assert shown.headers["content-type"] == "image/jpeg"
    tag = {"If-None-Match": shown.headers["etag"]}
    assert service.get(f"{URL}/{stored}/photograph", headers=tag).status_code == 304
    assert service.get(URL, params={"offset": 1}).json()["boxed_photos"] == []
    summary = service.get("/dataset/summary").json()
    assert (summary["boxed_photos"], summary["boxes"]) == (1, 1)
    assert (summary["boxes_by_class"], summary["images"]) == ({"freshapples": 1}, 0)


def test_boxes_are_replaced(service: TestClient, stored: str) -> None:
    place = {"box": {"x_min": 0, "y_min": 0, "x_max": 5, "y_max": 5}, "class_name": None}
    body = {"boxes": [place], "complete": False}
    changed = service.put(f"{URL}/{stored}/boxes", json=body)
    assert (changed.status_code, changed.json()["boxes"]) == (200, [place])
    assert changed.json() == service.get(f"{URL}/{stored}").json()
    place["box"]["x_max"] = 99  # type: ignore[index]
    refused = service.put(f"{URL}/{stored}/boxes", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "bad-box")
    assert changed.json() == service.get(f"{URL}/{stored}").json()


def test_removed_boxed_photo_leaves_no_row_and_no_blob(
    service: TestClient, stored: str, tmp_path: Path
) -> None:
    assert service.delete(f"{URL}/{stored}").status_code == 204
    assert service.get("/dataset/summary").json()["boxes"] == 0
    assert not [*(tmp_path / "state").rglob("photographs/*/*")]
    requests: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("GET", "/photograph", None),
        ("PUT", "/boxes", {"boxes": [SENT]}),
        ("DELETE", "", None),
    ]
    for method, path, body in requests:
        response = service.request(method, f"{URL}/{stored}{path}", json=body)
        assert (response.status_code, response.json()["code"]) == (404, "boxed-photo-not-found")


def test_blob_that_an_image_shares_stays_until_both_are_removed(
    database: Database, blobs: Blobs
) -> None:
    image = Uploader(database, blobs).store(photo(1))
    boxed = box_photo(database, blobs, photo(1))
    assert boxed.row.split == image.split
    assert boxed.row.photograph == image.photograph
    with database.session() as session:  # As in catalogs of older releases.
        session.get_one(BoxedPhotoRow, boxed.row.id).blob = image.blob
    remove_images(database, blobs, [image.id])
    then = (now() - 2 * ORPHAN_AGE - timedelta(minutes=1)).timestamp()
    os.utime(Path(blobs.url) / image.blob, (then, then))
    assert sweep_orphans(database, blobs) == 0
    assert blobs.exists(image.blob)


def test_backup_has_boxed_photos_and_notices_a_missing_one(
    settings: Settings, tmp_path: Path
) -> None:
    source = settings.model_copy(update={"state_dir": tmp_path / "source"})
    database, blobs = Database(source.database), Blobs(source.storage)
    database.upgrade()
    kept = box_photo(database, blobs, photo(1)).row
    blobs.delete(box_photo(database, blobs, photo(2)).row.blob)
    database.close()
    report = save(source, tmp_path / "backup")
    assert report.manifest.tables["boxed_photos"] == report.manifest.tables["boxes"] == 2
    assert report.manifest.gone == 1
    target = settings.model_copy(update={"state_dir": tmp_path / "target"})
    restore(target, tmp_path / "backup")
    assert Blobs(target.storage).get(kept.blob) == Blobs(source.storage).get(kept.blob)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_boxes_on_the_pixels_as_stored_are_turned_with_them(orientation: int) -> None:
    """The box must still lie on the green quarter."""
    stored = draw_quarters(96, 64)
    shown = stored.transpose(TRANSPOSITIONS[orientation])
    box = LabelledBox(Box(48, 0, 96, 32), None)
    [turned] = upright([box], Size(96, 64), Size(64, 96), orientation)
    corners = tuple(int(edge) for edge in turned.box)
    assert shown.crop(corners).getcolors() == [(48 * 32, (0, 255, 0))]  # type: ignore[arg-type]
    assert upright([box], Size(64, 96), Size(64, 96), orientation) == [box]


def test_boxes_of_another_size_are_refused() -> None:
    for orientation in (1, 3):
        with pytest.raises(OtherSizeError, match="96 x 64"):
            upright([FRUIT], Size(96, 64), Size(64, 96), orientation)
    with pytest.raises(OtherSizeError):
        scaled([FRUIT], Size(100, 100), Size(100, 90))
    assert scaled([FRUIT], Size(200, 133), Size(100, 67))[0].box.x_max == 15
