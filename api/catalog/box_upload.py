"""Uploads of photos with boxes, as zips from other tools. One bad photo affects no other."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field

from api.catalog.archive import SentFile, UploadForm, UploadLimits, ZipArchive, is_zip
from api.catalog.box_formats import FileBoxes, Read, read_annotations
from api.catalog.box_frames import LabelledBox
from api.catalog.boxed_photos import Annotation, BoxedPhotoStore
from api.catalog.class_names import ClassNames
from api.catalog.upload import FileError
from api.core.boxes import Box
from api.core.errors import ProblemError, UnprocessableError
from api.core.formatting import printable
from api.core.imaging.decode import decode
from api.core.layout import is_ignored, is_system_folder


class NotAZipError(UnprocessableError):
    code = "not-a-zip"
    detail = "Send a zip of the photos and their files of boxes: Pascal VOC, COCO or YOLO."


class UnreadableFileError(UnprocessableError):
    code = "unreadable-file"


class UploadedBoxedPhoto(BaseModel):
    filename: str = Field(description="Name of the zip and the path of the photo in it.")
    id: str
    boxes: int = Field(description="Number of boxes that the photo has now.")


class BoxedUploadReport(BaseModel):
    """Outcome for each photo, and an error for each annotation file that cannot be used."""

    stored: list[UploadedBoxedPhoto] = Field(description="Photos that were added.")
    known: list[UploadedBoxedPhoto] = Field(
        description="Photos that were boxed photos already. They keep the boxes they had."
    )
    errors: list[FileError]
    boxes: int = Field(description="Number of boxes on the newly stored photos.")


@dataclass(frozen=True)
class BoxedUpload:
    store: BoxedPhotoStore
    classes: ClassNames
    limits: UploadLimits

    def store_form(self, form: UploadForm) -> BoxedUploadReport:
        """Store the photos of all zips of a form. Raises what `ZipArchive` raises if the
        only file is an unusable zip.
        """
        report = BoxedUploadReport(stored=[], known=[], errors=[], boxes=0)
        for file in form.files:
            try:
                if not is_zip(file.stream):
                    raise NotAZipError()
                archive = ZipArchive(file.stream, self.limits)
                self._store_zip(archive, file.filename, report)
            except ProblemError as error:
                if len(form.files) == 1 and not isinstance(error, NotAZipError):
                    raise
                report.errors.append(FileError.of(file.filename, error))
        return report

    def _store_zip(self, archive: ZipArchive, name: str, report: BoxedUploadReport) -> None:
        entries = {entry.path: entry for entry in archive.entries}
        self._store_files(entries, lambda path: archive.read(entries[path]), name, report)

    def store_path(self, source: Path) -> BoxedUploadReport:
        """Store the photos of a folder or a zip. Raises what `store_form` raises, OSError."""
        if source.is_file():
            with source.open("rb") as stream:
                return self.store_form(UploadForm((SentFile(source.name, stream),), ""))
        report = BoxedUploadReport(stored=[], known=[], errors=[], boxes=0)

        def read(path: str) -> bytes:
            try:
                with (source / path).open("rb") as stream:
                    return SentFile(path, stream).read(self.limits.file_bytes)
            except OSError as error:
                raise UnreadableFileError(f"{path} cannot be read: {error.strerror}.") from error

        # Links could lead out of the folder, and names that are not UTF-8 cannot be stored.
        files = [
            path.relative_to(source).as_posix()
            for path in sorted(source.rglob("*"))
            if path.is_file() and not path.is_symlink() and not is_ignored(path.name)
            if not any(map(is_system_folder, path.relative_to(source).parent.parts))
        ]
        names = [name for name in files if printable(name) == name]
        self._store_files(names, read, source.name, report)
        return report

    def _store_files(
        self, paths: Iterable[str], read: Read, name: str, report: BoxedUploadReport
    ) -> None:
        for found in read_annotations(paths, read):
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
