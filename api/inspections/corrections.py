"""A person's corrections of the fruits of an inspection: they count at once, and models learn them.

The photo's boxes go into the training data with the classes that the person named, as from
`PUT /predictions/{id}/boxes`. Fruits that nobody corrected get a box without a class: the model
must not learn from its own grades.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from api.catalog import repository as images
from api.catalog.box_frames import MAX_BOXES, LabelledBox, Size, TooManyBoxesError, checked
from api.catalog.boxed_photos import Annotation, BoxedPhotoStore
from api.catalog.photo_files import StagedPhoto
from api.core.boxes import Box
from api.core.errors import ConflictError
from api.core.labels import Level, fruits_of, read_label
from api.inspections import repository
from api.inspections.repository import Photo
from api.predictions.boxes import BoxesService, PhotographNotKeptError
from api.predictions.recorder import Recorder
from api.storage.db import OpenTransaction
from api.storage.tables.inspections import InspectionFruitRow, InspectionRow, Said


class AddedByPersonError(ConflictError):
    code = "added-by-person"
    detail = "A person added this fruit, so it cannot be 'no_fruit': DELETE removes it."


@dataclass(frozen=True)
class Corrections:
    """Makes the corrections of one request. `classes` are the class names that a box may get."""

    store: BoxedPhotoStore
    recorder: Recorder
    classes: Collection[str]

    def say(self, inspection_id: str, photo_id: str, number: int, said: Said) -> Photo:
        """Set what the fruit with this number is; replaces an earlier correction.

        Raises InspectionNotFoundError, InspectionPhotoNotFoundError, FruitNotFoundError,
        AddedByPersonError.
        """
        staged = self._stage_photo(inspection_id, photo_id)
        with self.store.database.session() as session:
            inspection, photo = _locked(session, inspection_id, photo_id)
            fruit = repository.fruit(photo, number)
            if fruit.added and said == "no_fruit":
                raise AddedByPersonError()
            fruit.said = said
            self._teach(session, inspection, photo, staged)
            return photo

    def take_back(self, inspection_id: str, photo_id: str, number: int) -> Photo:
        """Restore what the grader says of the fruit; one that a person added is deleted.

        Raises InspectionNotFoundError, InspectionPhotoNotFoundError, FruitNotFoundError.
        """
        staged = self._stage_photo(inspection_id, photo_id)
        with self.store.database.session() as session:
            inspection, photo = _locked(session, inspection_id, photo_id)
            fruit = repository.fruit(photo, number)
            fruit.said = None
            if fruit.added:
                session.delete(fruit)
                photo = replace(photo, fruits=[one for one in photo.fruits if one is not fruit])
            self._teach(session, inspection, photo, staged)
            return photo

    def add_missed(self, inspection_id: str, photo_id: str, box: Box, level: Level) -> Photo:
        """Add a fruit that the grader missed; `box` in pixels of the upright photo.

        Raises InspectionNotFoundError, InspectionPhotoNotFoundError, BadBoxError,
        TooManyBoxesError.
        """
        staged = self._stage_photo(inspection_id, photo_id)
        with self.store.database.session() as session:
            inspection, photo = _locked(session, inspection_id, photo_id)
            if len(photo.fruits) >= MAX_BOXES:
                raise TooManyBoxesError(len(photo.fruits) + 1)
            [inside] = checked([LabelledBox(box, None)], Size(photo.row.width, photo.row.height))
            fruit = InspectionFruitRow(
                photo_id=photo_id,
                number=max((one.number for one in photo.fruits), default=0) + 1,
                **inside.box._asdict(),
                recognised=False,
                said=level,
                added=True,
            )
            session.add(fruit)
            photo = replace(photo, fruits=[*photo.fruits, fruit])
            self._teach(session, inspection, photo, staged)
            return photo

    def _stage_photo(self, inspection_id: str, photo_id: str) -> StagedPhoto | None:
        """Like `BoxesService.stage_photo`.

        Raises InspectionNotFoundError, InspectionPhotoNotFoundError.
        """
        with self.store.database.reading() as session:
            repository.get(session, inspection_id)
            photo = repository.photo(session, inspection_id, photo_id)
        return BoxesService(self.store, self.recorder).stage_photo(photo.prediction)

    def _teach(
        self, session: Session, inspection: InspectionRow, photo: Photo, staged: StagedPhoto | None
    ) -> None:
        """Put the photo's boxes into the training data, if the photo is still kept.

        `staged` is from `_stage_photo`.
        """
        store = replace(self.store, database=OpenTransaction(self.store.database, session))
        fruits = [one for one in photo.fruits if one.said != "no_fruit"]
        boxes = [
            LabelledBox(
                Box(one.x_min, one.y_min, one.x_max, one.y_max),
                class_said(one, inspection.kind, self.classes),
            )
            for one in fruits
        ]
        # If no box is left, a person said that nothing here is a fruit: that is complete.
        annotation = Annotation(boxes, not boxes, Size(photo.row.width, photo.row.height))
        try:
            BoxesService(store, self.recorder).put_recorded(photo.prediction, annotation, staged)
        except PhotographNotKeptError:
            return


def class_said(fruit: InspectionFruitRow, kind: str, classes: Collection[str]) -> str | None:
    """The class for the level that a person gave a fruit, of the inspection's kind or else of the
    recognised kind. None if no level was given, or no class has it.
    """
    if fruit.said is None or fruit.said == "no_fruit":
        return None
    names = _of_kind(kind, classes) if kind else []
    if not names and fruit.recognised and fruit.predicted_class:
        names = _of_kind(read_label(fruit.predicted_class).fruit, classes)
    return next((name for name in names if read_label(name).level == fruit.said), None)


def _of_kind(kind: str, classes: Iterable[str]) -> list[str]:
    wanted = fruits_of(kind)
    return sorted(name for name in classes if read_label(name).fruit in wanted)


def _locked(session: Session, inspection_id: str, photo_id: str) -> tuple[InspectionRow, Photo]:
    """Locks the inspection, after `images.lock_images`: one correction of it at a time."""
    images.lock_images(session)
    inspection = repository.get(session, inspection_id, lock=True)
    return inspection, repository.photo(session, inspection_id, photo_id)
