"""API schemas of the training images."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from api.catalog import boxed_repository, repository
from api.catalog.service import DuplicateFile, Origin, Outcome, Stored
from api.catalog.upload import FileError
from api.core.labels import ClassName, NewClass
from api.core.splits import Split
from api.model.training_index import TrainingIndex
from api.storage.ids import ID_PATTERN

MAX_IDS = 1000
ImageId = Annotated[str, Field(pattern=ID_PATTERN)]


class UploadedFile(BaseModel):
    filename: str = Field(
        description="File name as sent; in a zip, the name of the zip and the path in it."
    )
    id: str
    class_name: str = Field(description="Normalized name of its class.")
    split: Split = Field(description="Split of the photo; relabelling does not change it.")
    photograph: str = Field(description="ID of the group of files that show the same photo.")

    @classmethod
    def of(cls, stored: Stored) -> "UploadedFile":
        fields = ("id", "class_name", "split", "photograph")
        values = {name: getattr(stored.image, name) for name in fields}
        return cls(filename=stored.filename, **values)


class UploadReport(BaseModel):
    """Outcome for each uploaded file. Files in none of the lists, such as hidden files in a zip,
    were skipped.
    """

    uploaded_count: int = Field(description="Number of entries in `uploaded_files`.")
    uploaded_files: list[UploadedFile] = Field(
        description="Files that were added as training images."
    )
    duplicates: list[DuplicateFile] = Field(
        description="Files that were not stored because their photo is known."
    )
    errors: list[FileError] = Field(description="Files that could not be used.")
    class_name: str | None = Field(
        description="Normalized class name from the form; null if none was sent."
    )
    timestamp: datetime = Field(description="When the upload was complete, in UTC.")

    @classmethod
    def of_outcomes(
        cls, outcomes: Sequence[Outcome | FileError], class_name: str | None
    ) -> "UploadReport":
        stored = [item for item in outcomes if isinstance(item, Stored)]
        return cls(
            uploaded_count=len(stored),
            uploaded_files=[UploadedFile.of(item) for item in stored],
            duplicates=[item for item in outcomes if isinstance(item, DuplicateFile)],
            errors=[item for item in outcomes if isinstance(item, FileError)],
            class_name=class_name,
            timestamp=datetime.now(UTC),
        )


class TrainingImage(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    class_name: str
    photograph: str = Field(description="ID of the group of files that show the same photo.")
    split: Split = Field(description="Split of the photo; relabelling does not change it.")
    origin: Origin = Field(
        description="Where it came from: an upload, feedback on a prediction, or the review queue."
    )
    filename: str = Field(description="Name of the file without folders, at most 255 characters.")
    width: int = Field(description="Width of the upright photo, in pixels.")
    height: int = Field(description="Height of the upright photo, in pixels.")
    bytes: int = Field(description="Size of the stored file, without metadata, in bytes.")
    sha256: str = Field(description="SHA-256 of the file as uploaded.")
    created_at: datetime = Field(description="When the image was added, in UTC.")


class ImagePage(BaseModel):
    total: int
    offset: int
    limit: int
    images: list[TrainingImage]


class KnownPhotographs(BaseModel):
    total: int = Field(description="Sum over `by_class`.")
    by_class: dict[str, dict[str, int]] = Field(
        description="Number of photos by class, then by split."
    )


class DatasetSummary(BaseModel):
    """Size of the training data. Images are files in the catalog; copies of a photo count as one
    photo.
    """

    images: int = Field(description="Number of images.")
    by_class: dict[str, int] = Field(description="Number of images by class.")
    by_split: dict[str, int] = Field(
        description="Number of images by split: train, validation or test."
    )
    by_origin: dict[str, int] = Field(
        description="Number of images by origin: upload, feedback or review."
    )
    newest_upload: datetime | None = Field(
        description="When the newest image was added, in UTC; null without images."
    )
    new_images: int = Field(
        description="Number of images that the current version has not been trained on."
    )
    photographs: KnownPhotographs = Field(
        description="Number of distinct photos in the catalog and in the training set of the "
        "current version."
    )
    boxed_photos: int = Field(
        default=0, description="Number of photos with boxes around their fruits."
    )
    boxes: int = Field(default=0, description="Number of boxes on all boxed photos.")
    boxes_by_class: dict[str, int] = Field(
        default_factory=dict,
        description="Number of boxes by class; boxes without a class are left out.",
    )

    @classmethod
    def load(cls, session: Session, training_index: TrainingIndex) -> "DatasetSummary":
        by_class, by_split, by_origin = Counter[str](), Counter[str](), Counter[str]()
        for class_name, split, origin, images in repository.counts(session):
            by_class[class_name] += images
            by_split[split] += images
            by_origin[origin] += images
        stored: set[str] = set()
        known: set[tuple[str, str, str]] = set()
        for sha256, class_name, split, group in repository.source_groups(session):
            stored.add(sha256)
            known.add((class_name, split, group))
        index = training_index
        columns = (index.sha256, index.class_names, index.splits, index.photographs)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for sha256, class_name, split, group in rows:
            if sha256 not in stored:  # The catalog's label is newer than the model's.
                known.add((class_name, split, group))
        photographs: dict[str, dict[str, int]] = {}
        for class_name, split, _ in sorted(known):
            photographs.setdefault(class_name, Counter())[split] += 1
        boxes = boxed_repository.box_counts(session)
        return cls(
            images=by_split.total(),
            by_class=by_class,
            by_split=by_split,
            by_origin=by_origin,
            newest_upload=repository.newest(session),
            new_images=len(stored - training_index.row_of.keys()),
            photographs=KnownPhotographs(total=len(known), by_class=photographs),
            boxed_photos=boxed_repository.count(session),
            boxes=sum(boxes.values()),
            boxes_by_class={name: boxes[name] for name in sorted(filter(None, boxes))},
        )


class Relabel(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    class_name: ClassName
    new_class: NewClass = False


class Selection(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    ids: list[ImageId] = Field(min_length=1, max_length=MAX_IDS)


class RelabelSelection(Selection):
    class_name: ClassName
    new_class: NewClass = False
    only_from: ClassName | None = Field(
        default=None,
        description="Relabel only the images that have this class now. Use it to undo a change "
        "without overwriting later changes by others.",
    )


class Relabelled(BaseModel):
    relabelled: int = Field(
        description="Number of images that now have the class, including those that had it before."
    )
    class_name: str = Field(description="Normalized name of the new class.")
    missing: list[str] = Field(
        description="IDs that were skipped: no such image, or not of the class `only_from`."
    )
    former: dict[str, list[str]] = Field(
        description="IDs of the images whose class changed, grouped by their previous class."
    )


def missing_ids(ids: Sequence[str], existing: Sequence[str]) -> list[str]:
    """The IDs that do not exist, sorted."""
    return sorted(set(ids) - set(existing))
