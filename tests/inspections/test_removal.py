"""Removed inspections and photos, on each database: swept in time, and complete when restored."""

from datetime import timedelta

import pytest

from api.inspections import removal, repository, service
from api.inspections.service import InspectionFullError, InspectionService
from api.predictions.retention import sweep_predicted
from api.storage.db import Database, now
from api.storage.tables.inspections import InspectionFruitRow, InspectionPhotoRow, InspectionRow
from api.storage.tables.predictions import PredictionRow
from tests.inspections.test_service import FRUITS, add, inspections, open_lot, rows

__all__ = ["inspections"]
KEEP = 7


def keep_photo(inspections: InspectionService, inspection_id: str, photo_id: str) -> None:
    removal.keep_photo(inspections.database, inspection_id, photo_id)


def sweep(inspections: InspectionService, days: float) -> int:
    """Sweep as if this many days had passed."""
    return removal.sweep_removed(inspections, KEEP, now() + timedelta(days=days))


def counts(database: Database) -> list[int]:
    return [rows(database, table) for table in (InspectionRow, InspectionPhotoRow)]


def pictures(inspections: InspectionService) -> int:
    return len(list(inspections.blobs.keys("predicted")))


def test_removed_ones_are_swept_after_their_days(
    inspections: InspectionService, database: Database
) -> None:
    lot, other = open_lot(inspections), open_lot(inspections, "other")
    photos = [add(inspections, lot, seed) for seed in (1, 2)]
    add(inspections, other, 3)
    keep_photo(inspections, lot, photos[0].row.id)
    removal.keep_inspection(database, other)
    assert sweep(inspections, KEEP - 0.1) == 0
    assert (counts(database), pictures(inspections)) == ([2, 3], 3)
    assert sweep(inspections, KEEP + 0.1) == 2
    assert (counts(database), pictures(inspections)) == ([1, 1], 1)
    assert rows(database, InspectionFruitRow) == len(FRUITS)
    assert rows(database, PredictionRow) == 3
    assert sweep(inspections, KEEP + 0.1) == 0


def test_photo_removed_before_its_inspection_waits_for_it(
    inspections: InspectionService, database: Database
) -> None:
    lot = open_lot(inspections)
    photo = add(inspections, lot, 1)
    keep_photo(inspections, lot, photo.row.id)
    removal.keep_inspection(database, lot)
    with database.session() as session:
        row, _ = repository.any_photo(session, lot, photo.row.id)
        row.removed_at = now() - timedelta(days=KEEP)
    assert sweep(inspections, 1) == 0
    removal.restore_inspection(database, lot)
    assert sweep(inspections, 1) == 1
    assert (counts(database), pictures(inspections)) == ([1, 0], 0)


def test_restored_items_are_not_swept(
    inspections: InspectionService, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    lot, other = open_lot(inspections), open_lot(inspections, "other")
    photo = add(inspections, lot, 1)
    keep_photo(inspections, lot, photo.row.id)
    removal.keep_inspection(database, other)
    delete, remove = InspectionService.delete, InspectionService.remove_photo

    def delete_late(one: InspectionService, inspection_id: str, *, only_removed: bool) -> None:
        removal.restore_inspection(database, inspection_id)
        delete(one, inspection_id, only_removed=only_removed)

    def remove_late(
        one: InspectionService, inspection_id: str, photo_id: str, *, only_removed: bool
    ) -> None:
        removal.restore_photo(database, inspection_id, photo_id)
        remove(one, inspection_id, photo_id, only_removed=only_removed)

    monkeypatch.setattr(InspectionService, "delete", delete_late)
    monkeypatch.setattr(InspectionService, "remove_photo", remove_late)
    assert sweep(inspections, KEEP + 1) == 0
    assert (counts(database), pictures(inspections)) == ([2, 1], 1)


def test_old_pictures_go_from_removed_photos_too(
    inspections: InspectionService, database: Database
) -> None:
    lot = open_lot(inspections)
    photo = add(inspections, lot, 1)
    keep_photo(inspections, lot, photo.row.id)
    # It keeps its thumbnail until it is swept.
    inspections.sweep(now(), keep_days=365)
    with database.reading() as session:
        assert [bool(row.thumbnail) for row in repository.photo_rows(session, lot)] == [True]
    tomorrow = now() + timedelta(days=1)
    assert sweep_predicted(database, inspections.blobs, keep_days=0, at=tomorrow) == 1
    assert sweep_predicted(database, inspections.blobs, keep_days=0, at=tomorrow) == 0
    assert pictures(inspections) == 0
    inspections.sweep(now(), keep_days=365)
    restored = removal.restore_photo(database, lot, photo.row.id)
    assert (restored.prediction.blob, restored.row.blob, len(restored.fruits)) == (None, None, 3)
    with database.reading() as session:
        assert [row.thumbnail for row in repository.photo_rows(session, lot)] == [None]


def test_old_inspections_are_deleted_also_if_they_were_removed(
    inspections: InspectionService, database: Database
) -> None:
    lot = open_lot(inspections)
    add(inspections, lot, 1)
    removal.keep_inspection(database, lot)
    assert inspections.sweep(now() + timedelta(days=366), keep_days=365) == 1
    assert (counts(database), pictures(inspections)) == ([0, 0], 0)


def test_removed_photos_leave_room_for_others(
    inspections: InspectionService, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_PHOTOS", 1)
    lot = open_lot(inspections)
    first = add(inspections, lot, 1)
    keep_photo(inspections, lot, first.row.id)
    inspections.check_open(lot)
    assert add(inspections, lot, 2).row.number == 2
    with pytest.raises(InspectionFullError):
        removal.restore_photo(database, lot, first.row.id)
    with database.reading() as session:
        assert [one.row.number for one in repository.all_photos(session, lot)] == [2]
