"""Uploads of training photos. One bad file does not affect the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, Field

from api.catalog.archive import (
    Entry,
    SentFile,
    UnreadableFolderNameError,
    UploadForm,
    UploadLimits,
    ZipArchive,
    is_zip,
)
from api.catalog.class_names import ClassNames
from api.catalog.duplicate_index import DuplicateIndex, KnownPhotos
from api.catalog.service import Outcome, PhotographStore
from api.core.errors import ProblemError, UnprocessableError
from api.core.formatting import printable
from api.core.imaging.decode import NotAnImageError
from api.core.imaging.other_formats import START_BYTES, kind_of
from api.storage.blobs import Blobs
from api.storage.db import Database


class MissingClassNameError(UnprocessableError):
    code = "missing-class-name"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} needs a class. Name it in the form field 'class_name', or send a zip that "
            "has a folder of photos for each class."
        )


# Not the exception itself, whose traceback would keep the file in memory.
class FileError(BaseModel):
    filename: str = Field(
        description="Name as sent; in a zip, the name of the zip and the path in it."
    )
    code: str = Field(description="Stable error code for programs.")
    detail: str = Field(description="What is wrong and what to do, in English.")

    @classmethod
    def of(cls, filename: str, error: ProblemError) -> Self:
        return cls(filename=filename, code=error.code, detail=error.detail)


@dataclass(frozen=True)
class UploadService:
    database: Database
    blobs: Blobs
    known: KnownPhotos
    limits: UploadLimits
    max_pixels: int

    def store_form(self, form: UploadForm) -> list[Outcome | FileError]:
        """Store the photos of a form; returns one outcome for each, in order.

        Before anything is stored, raises MissingClassNameError, NotAnImageError for a file that is
        neither a photo nor a zip, or what `ClassNames` raises for the form's class. Raises what
        `ZipArchive` raises if the only file is an unusable zip.
        """
        classes = ClassNames(self.database, self.known.training_index, form.new_class)
        class_name = classes.accept(form.class_name) if form.class_name else ""
        for file in () if class_name else form.files:
            if not is_zip(file.stream):
                raise _without_class(file)
        with self.database.reading() as session:
            index = DuplicateIndex(session, self.known)
        store = PhotographStore(self.database, self.blobs, index, self.max_pixels)
        is_only_zip = len(form.files) == 1 and is_zip(form.files[0].stream)
        outcomes: list[Outcome | FileError] = []
        for file in form.files:
            try:
                photos = self._photos(file, class_name, classes)
                outcomes.extend(_store(store, classes, *photo) for photo in photos)
            except ProblemError as error:
                if is_only_zip:
                    raise
                outcomes.append(FileError.of(file.filename, error))
        return outcomes

    def _photos(
        self, file: SentFile, class_name: str, classes: ClassNames
    ) -> Iterator[tuple[str, str, bytes | ProblemError]]:
        """The name, class and bytes (or the error of reading it) of each photo in the file."""
        if not is_zip(file.stream):
            yield file.filename, class_name, file.read(self.limits.file_bytes)
            return
        archive = ZipArchive(file.stream, self.limits)
        if not (class_name or archive.folders):
            raise MissingClassNameError("A zip without folders of classes")
        # Several folders are classes; a single one may just be what was zipped.
        zip_class = class_name if len(archive.folders) < 2 else ""
        for entry, filename, data in archive.read_all(file.filename):
            if zip_class:
                yield filename, zip_class, data
                continue
            try:
                yield filename, _class_of(entry, classes) or class_name, data
            except ProblemError as error:
                yield filename, class_name, error


def _without_class(file: SentFile) -> ProblemError:
    """Why a file that is not a zip cannot be stored without a class."""
    kind = kind_of(file.stream.read(START_BYTES))
    return NotAnImageError.of(kind) if kind else MissingClassNameError("A photo")


def _class_of(entry: Entry, classes: ClassNames) -> str:
    """The class that the folders of a zip's entry name; empty without folders.

    Raises UnreadableFolderNameError, SeveralClassFoldersError.
    """
    if not entry.has_readable_folders:
        raise UnreadableFolderNameError(printable(entry.path))
    return classes.of_folders(entry.folders)


def _store(
    store: PhotographStore,
    classes: ClassNames,
    filename: str,
    class_name: str,
    data: bytes | ProblemError,
) -> Outcome | FileError:
    try:
        if isinstance(data, ProblemError):
            raise data
        if not class_name:
            raise MissingClassNameError("A photo outside of the folders")
        class_name = classes.accept(class_name)
        return store.add(data, class_name=class_name, origin="upload", filename=filename)
    except ProblemError as error:
        return FileError.of(filename, error)
