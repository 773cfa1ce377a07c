"""Uploads of photos with boxes, as zips that other tools made. One bad photo affects no other."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, Field

from api.catalog.archive import UploadForm, UploadLimits, ZipArchive, is_zip
from api.catalog.box_formats import FileBoxes, read_annotations
from api.catalog.box_frames import LabelledBox
from api.catalog.boxed_photos import Annotation, BoxedPhotoStore
from api.catalog.class_names import ClassNames
from api.catalog.upload import FileError
from api.core.boxes import Box
from api.core.errors import ProblemError, UnprocessableError
from api.core.imaging.decode import decode


class NotAZipError(UnprocessableError):
    code = "not-a-zip"
    detail = "Send a zip of the photos and their files of boxes: Pascal VOC, COCO or YOLO."


class UploadedBoxedPhoto(BaseModel):
    filename: str
    id: str
    boxes: int


class BoxedUploadReport(BaseModel):
    """The outcome of each photo, and of each file of boxes that cannot be used."""

    stored: list[UploadedBoxedPhoto]
    known: list[UploadedBoxedPhoto] = Field(
        description="They were boxed photos already, and keep the boxes that they have."
    )
    errors: list[FileError]
    boxes: int = Field(description="Of the stored photos.")


@dataclass(frozen=True)
class BoxedUpload:
    store: BoxedPhotoStore
    classes: ClassNames
    limits: UploadLimits

    def store_form(self, form: UploadForm) -> BoxedUploadReport:
        """Store the photos of all zips of a form. Raises what `ZipArchive` raises, and
        NotAZipError, if the only file cannot be used.
        """
        report = BoxedUploadReport(stored=[], known=[], errors=[], boxes=0)
        for file in form.files:
            try:
                if not is_zip(file.stream):
                    raise NotAZipError()
                archive = ZipArchive(file.stream, self.limits)
                self._store_zip(archive, file.filename, report)
            except ProblemError as error:
                if len(form.files) == 1:
                    raise
                report.errors.append(FileError.of(file.filename, error))
        return report

    def _store_zip(self, archive: ZipArchive, name: str, report: BoxedUploadReport) -> None:
        entries = {entry.path: entry for entry in archive.entries}

        def read(path: str) -> bytes:
            return archive.read(entries[path])

        for found in read_annotations(entries, read):
            path = found[0]
            try:
                if not isinstance(found, FileBoxes):
                    raise found[1]
                data = read(path)
                annotation = self._annotation(found, data)
                outcome, photo = self.store.add(data, annotation, origin="upload", filename=path)
            except ProblemError as error:
                report.errors.append(FileError.of(f"{name}/{path}", error))
                continue
            item = UploadedBoxedPhoto(
                filename=f"{name}/{path}", id=photo.row.id, boxes=len(photo.boxes)
            )
            (report.stored if outcome == "stored" else report.known).append(item)
            report.boxes += len(photo.boxes) if outcome == "stored" else 0

    def _annotation(self, found: FileBoxes, data: bytes) -> Annotation:
        boxes = list(self._accepted(found.boxes))
        if found.shares:
            decoded = decode(data, self.store.max_pixels)
            sides = (decoded.width, decoded.height) * 2
            boxes = [
                LabelledBox(Box(*(e * s for e, s in zip(box, sides, strict=True))), class_name)
                for box, class_name in boxes
            ]
        return Annotation(boxes, found.complete, found.stated, of_file=True)

    def _accepted(self, boxes: list[LabelledBox]) -> Iterator[LabelledBox]:
        for box, class_name in boxes:
            yield LabelledBox(box, class_name and self.classes.accept(class_name))
