"""Which held-out photos a version gets wrong, and which of these the catalog can show."""

import codecs
import csv
import io
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.catalog import boxed_repository
from api.catalog.box_frames import LabelledBox
from api.catalog.box_schemas import FruitBox
from api.core.boxes import Box
from api.insights.mistakes import find_mistakes
from api.insights.mistakes_zip import mistakes_zip
from api.insights.report_schemas import Mistakes
from api.model.package import BACKBONE, HEAD, REPLAY, load_package, write_package
from api.model.replay_buffer import ReplayBuffer
from api.registry.store import store_package
from api.retraining.boxed_fruits import box_sha256
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.photos import BoxedPhotoRow, ImageRow
from tests.small_grader import write_small_grader

VERSION = "20261129-000000-wrong"
BOX, OTHER = Box(10, 10, 50, 60), Box(60, 10, 90, 60)
# The hashes of a photo with boxes, and of an image.
BOXED, IMAGE = "b" * 64, "c" * 64


@pytest.fixture
def wrong(tmp_path: Path, blobs: Blobs) -> list[str]:
    """Hashes of the held-out rows that the stored version gets wrong, the surest first. The second
    is a box of a catalog photo, the fourth a catalog image.
    """
    small = load_package(write_small_grader(tmp_path / "small"))
    replay = ReplayBuffer.load(small.folder / REPLAY)
    probabilities = small.head.probabilities(replay.embeddings)
    is_wrong = probabilities.argmax(axis=1) != replay.targets.argmax(axis=1)
    rows = np.flatnonzero(is_wrong & (replay.splits == "test"))
    rows = rows[np.argsort(-probabilities[rows].max(axis=1), kind="stable")]
    assert len(rows) > 10
    sha256, photographs = replay.sha256.copy(), replay.photographs.astype("<U64")
    sha256[rows[1]], sha256[rows[3]] = box_sha256(BOXED, BOX), IMAGE
    photographs[rows[1]] = "boxed/crate"

    def fill(parts: Path) -> None:
        for name in (BACKBONE, HEAD):
            shutil.copyfile(small.folder / name, parts / name)
        replace(replay, sha256=sha256, photographs=photographs).save(parts / REPLAY)

    folder = tmp_path / VERSION
    write_package(
        folder,
        fill,
        lambda files: small.manifest.model_copy(update={"version": VERSION, "files": files}),
    )
    store_package(blobs, folder)
    return [str(name) for name in sha256[rows]]


@pytest.fixture
def catalog(database: Database) -> None:
    """An image, and a photo with two boxes."""
    common = {"signature": "", "split": "test", "origin": "upload", "width": 100, "height": 80}
    own = {"bytes": 1, "blob": "none", **common}
    boxed = BoxedPhotoRow(
        id="1" * 32,
        sha256=BOXED,
        photograph="boxed/crate",
        filename="crate.jpg",
        complete=True,
        **own,
    )
    image = ImageRow(
        id="2" * 32,
        sha256=IMAGE,
        photograph="p",
        filename="apple.jpg",
        class_name="freshapples",
        brightness=0.5,
        saturation=0.5,
        hue=10.0,
        **own,
    )
    boxes = [LabelledBox(OTHER, "freshapples"), LabelledBox(BOX, "freshapples")]
    with database.session() as session:
        session.add_all([boxed, image])
        session.flush()
        boxed_repository.put_boxes(session, boxed, boxes, complete=True)


def find(
    database: Database, blobs: Blobs, folder: Path, limit: int = 24, **detector: Any
) -> Mistakes:
    manifest = {"version": VERSION, "detector": {"metrics": detector} if detector else None}
    return find_mistakes(database, blobs, folder / "cache", manifest, limit)


@pytest.mark.usefixtures("catalog")
def test_those_with_a_photo_come_first_then_the_surest(
    database: Database, blobs: Blobs, tmp_path: Path, wrong: list[str]
) -> None:
    found = find(database, blobs, tmp_path)
    assert (found.version, found.wrong, found.wrong_with_photo) == (VERSION, len(wrong), 2)
    assert found.held_out == 96
    assert len(found.mistakes) == 24
    boxed, image, *others = found.mistakes
    assert boxed.photo is not None
    assert (boxed.photo.boxed_photo_id, boxed.photo.filename) == ("1" * 32, "crate.jpg")
    assert boxed.box == FruitBox(**BOX._asdict())
    assert image.photo is not None
    assert (image.photo.image_id, image.box) == ("2" * 32, None)
    assert not any(mistake.photo or mistake.box for mistake in others)
    confidences = [mistake.confidence for mistake in others]
    assert confidences == sorted(confidences, reverse=True)
    assert all(mistake.class_name != mistake.predicted_class for mistake in found.mistakes)


def test_without_the_photos_all_are_still_named(
    database: Database, blobs: Blobs, tmp_path: Path, wrong: list[str]
) -> None:
    found = find(database, blobs, tmp_path, limit=3)
    assert (found.wrong, found.wrong_with_photo, len(found.mistakes)) == (len(wrong), 0, 3)
    assert found.misses == []


@pytest.mark.usefixtures("catalog", "wrong")
def test_boxes_that_were_missed_are_in_pixels_of_the_photo(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    counts = {"source": "catalog", "fruits": 2, "missed": 1, "surplus": 1}
    here = {
        "file": "crate.jpg",
        "sha256": BOXED,
        "missed_boxes": [[0.1, 0.25, 0.5, 0.75]],
        "surplus_boxes": [[0, 0, 0.2, 0.5]],
        **counts,
    }
    gone, shipped = here | {"sha256": "d" * 64}, {"file": "web.jpg", **counts}
    found = find(database, blobs, tmp_path, worst_misses=[here, gone, shipped])
    first, *others = found.misses
    assert first.photo is not None
    assert first.photo.boxed_photo_id == "1" * 32
    assert first.missed_boxes == [FruitBox(x_min=10, y_min=20, x_max=50, y_max=60)]
    assert first.surplus_boxes == [FruitBox(x_min=0, y_min=0, x_max=20, y_max=40)]
    assert [(miss.photo, miss.missed_boxes) for miss in others] == [(None, [])] * 2


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("other", ["missing", "images"], ids=["missing", "a folder"])
def test_zip_has_all_mistakes_and_the_photos_that_are_there(
    database: Database, blobs: Blobs, tmp_path: Path, wrong: list[str], other: str
) -> None:
    picture = b"a photo"
    blobs.put("images/2.jpg", picture)
    with database.session() as session:
        image = session.get_one(ImageRow, "2" * 32)
        image.blob, image.filename = "images/2.jpg", "=cmd|' /C calc'!A0.jpg"
        session.get_one(BoxedPhotoRow, "1" * 32).blob = other
    found = find(database, blobs, tmp_path, limit=10**9)

    parts = list(mistakes_zip(database, blobs, found.mistakes))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(parts)))

    assert archive.testzip() is None
    # The file of the photo with boxes is not.
    assert archive.namelist() == [f"photos/{'2' * 32}.jpg", "mistakes.csv"]
    assert archive.read(f"photos/{'2' * 32}.jpg") == picture
    table = archive.read("mistakes.csv")
    assert table.startswith(codecs.BOM_UTF8)
    boxed, image_row, *others = csv.DictReader(io.StringIO(table.decode("utf-8-sig")))
    assert len(others) == len(wrong) - 2
    assert (boxed["file"], boxed["x_min"], boxed["y_max"]) == ("", "10.0", "60.0")
    assert image_row["file"] == f"photos/{'2' * 32}.jpg"
    assert image_row["filename"].startswith("'=cmd")
    assert image_row["label"] != image_row["graded_as"]
    assert image_row["x_min"] == ""
