"""Inspections on each kind of database: kept, swept, and complete after a failure."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.core.boxes import Box
from api.core.imaging.resize import hash_thumbnail
from api.core.labels import Level, read_label
from api.inspections import repository, service
from api.inspections.acceptance import Profile, Tally
from api.inspections.repository import InspectionNotFoundError
from api.inspections.service import InspectionFullError, InspectionService
from api.model.grade import FruitGrade, Grade, Instance, Instances
from api.predictions.retention import sweep_predicted
from api.predictions.schemas import Prediction
from api.storage.blobs import Blobs
from api.storage.db import Base, Database, now
from api.storage.failures import StoreError
from api.storage.tables.inspections import InspectionFruitRow, InspectionPhotoRow, InspectionRow
from api.storage.tables.predictions import PredictionRow
from tests.predictions.samples import FEATURES
from tests.synthetic_images import draw_fruit

PROFILE = Profile(0.05, 0.1, 0.95)
FRUITS = ("freshapples", "rottenapples", "freshapples")


@pytest.fixture
def inspections(database: Database, blobs: Blobs) -> InspectionService:
    return InspectionService(database, blobs)


def graded(seed: int, names: tuple[str, ...] = FRUITS) -> Grade:
    """The grade of a photo with fruits of these classes; the last one is not recognised."""
    image = draw_fruit("freshapples", seed)
    whole = _fruit(names[0])
    fruits = tuple(
        Instance(Box(9 * k, 0, 9 * k + 8, 8), 0.9, _fruit(name, k < len(names) - 1))
        for k, name in enumerate(names)
    )
    return Grade(
        **vars(whole),
        interpretation="",
        milliseconds=5.0,
        heatmap=None,
        stored_image=image,
        hash_thumbnail=hash_thumbnail(image),
        features=FEATURES,
        instances=Instances(image.width, image.height, fruits, ungraded=1),
    )


def _fruit(name: str, recognised: bool = True) -> FruitGrade:
    level: Level | None = read_label(name).level
    score = 0.1 if level == "rotten" else 0.9
    freshness = read_label(name).freshness
    return FruitGrade(name, {name: 1.0}, "apple", freshness, score, level, recognised)


def add(inspections: InspectionService, inspection_id: str, seed: int) -> repository.Photo:
    grade = graded(seed)
    prediction = Prediction.of_grade(grade, "v1")
    _, photo = inspections.add(inspection_id, b"%d" % seed, prediction, grade, f"{seed}.jpg")
    return photo


def open_lot(inspections: InspectionService, lot: str = "A") -> str:
    return inspections.open(lot, "Bauer", "apple", PROFILE).id


def rows(database: Database, table: type[Base]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_photo_is_stored_and_counted(inspections: InspectionService, database: Database) -> None:
    inspection_id = open_lot(inspections)
    photo = add(inspections, inspection_id, 1)
    add(inspections, open_lot(inspections, "B"), 1)
    assert (photo.row.ungraded, photo.prediction.filename) == (1, "1.jpg")
    assert photo.prediction.blob is not None
    assert inspections.blobs.exists(photo.prediction.blob)
    levels = [repository.level_of(fruit) for fruit in photo.fruits]
    assert levels == ["fresh", "rotten", None]
    with database.reading() as session:
        tallies = repository.tallies(session, [inspection_id])
        assert tallies == {inspection_id: Tally(fresh=1, rotten=1, unknown=1)}
        assert repository.photo_counts(session, [inspection_id]) == {inspection_id: (1, 0)}
        worst = repository.worst_fruits(session, inspection_id, 0, 9)
        assert [one.number for one in worst] == [2, 3, 1]


def test_old_inspections_are_deleted_with_their_photos(
    inspections: InspectionService, database: Database
) -> None:
    old, recent = open_lot(inspections, "old"), open_lot(inspections, "recent")
    for inspection_id in (old, recent):
        add(inspections, inspection_id, 1)
    with database.session() as session:
        repository.get(session, old).created_at = now() - timedelta(days=366)
    assert inspections.sweep(now(), keep_days=365) == 1
    assert inspections.sweep(now(), keep_days=365) == 0
    with database.reading() as session:
        assert [row.lot for row in repository.find(session, [], 0, 9)] == ["recent"]
    assert rows(database, InspectionPhotoRow) == 1
    assert rows(database, InspectionFruitRow) == len(FRUITS)
    # Predictions stay for monitoring, but without their pictures.
    assert rows(database, PredictionRow) == 2
    assert len(list(inspections.blobs.keys("predicted"))) == 1


def test_deletion_needs_no_store(
    inspections: InspectionService, database: Database, blobs: Blobs
) -> None:
    inspection_id = open_lot(inspections)
    first, second = add(inspections, inspection_id, 1), add(inspections, inspection_id, 2)
    Path(blobs.url).rename(f"{blobs.url}.away")
    Path(blobs.url).write_text("in the way")
    with pytest.raises(StoreError):
        add(inspections, inspection_id, 3)
    inspections.remove_photo(inspection_id, first.row.id)
    inspections.delete(inspection_id)
    assert rows(database, InspectionRow) == rows(database, InspectionPhotoRow) == 0
    with database.reading() as session:
        assert session.get_one(PredictionRow, second.row.id).blob is None


def test_thumbnails_go_with_the_photos(
    inspections: InspectionService, database: Database, blobs: Blobs
) -> None:
    inspection_id = open_lot(inspections)
    add(inspections, inspection_id, 1)
    inspections.sweep(now(), keep_days=365)
    with database.reading() as session:
        assert repository.photo_rows(session, inspection_id)[0].thumbnail
    sweep_predicted(database, blobs, keep_days=0, at=now() + timedelta(days=1))
    inspections.sweep(now(), keep_days=365)
    with database.reading() as session:
        [row] = repository.photo_rows(session, inspection_id)
        assert row.thumbnail is None
        assert repository.tallies(session, [inspection_id])[inspection_id].total == len(FRUITS)


def test_full_inspection_accepts_no_more_photos(
    inspections: InspectionService, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_PHOTOS", 1)
    inspection_id = open_lot(inspections)
    inspections.check_open(inspection_id)
    add(inspections, inspection_id, 1)
    with pytest.raises(InspectionFullError):
        inspections.check_open(inspection_id)
    with pytest.raises(InspectionFullError):
        add(inspections, inspection_id, 2)
    assert rows(database, InspectionPhotoRow) == rows(database, PredictionRow) == 1
    assert len(list(inspections.blobs.keys("predicted"))) == 1


def test_deleted_while_a_photo_was_graded(
    inspections: InspectionService, database: Database
) -> None:
    inspection_id = open_lot(inspections)
    inspections.delete(inspection_id)
    with pytest.raises(InspectionNotFoundError):
        add(inspections, inspection_id, 1)
    assert rows(database, PredictionRow) == rows(database, InspectionRow) == 0
    assert not list(inspections.blobs.keys("predicted"))
