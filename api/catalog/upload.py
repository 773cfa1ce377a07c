"""What becomes of each file of an upload. One bad file spoils nothing but itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, Field

from api.catalog.archive import (
    Archive,
    ArchiveTooLargeError,
    FileTooLargeError,
    Limits,
    SentFile,
    UploadForm,
    is_archive,
)
from api.catalog.duplicate_index import DuplicateIndex
from api.catalog.ingest import Outcome, store_photograph
from api.core.class_names import accepted_class_name
from api.core.errors import ProblemError, UnprocessableError
from api.core.near_duplicates import printable
from api.model.replay_buffer import Learned
from api.storage.blobs import Blobs
from api.storage.db import Database


class MissingClassNameError(UnprocessableError):
    code = "missing-class-name"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} needs a class. Name it in the form field 'class_name', or send a zip that "
            "has a folder of photographs for each class."
        )


# In words alone: the error itself would hold on to what was read of the file.
class FileError(BaseModel):
    filename: str
    code: str = Field(description="Stable, for programs.")
    detail: str

    @classmethod
    def of(cls, filename: str, error: ProblemError) -> Self:
        return cls(filename=filename, code=error.code, detail=error.detail)


@dataclass(frozen=True)
class UploadService:
    """Where photographs go, what is known, and how large they may be."""

    database: Database
    blobs: Blobs
    learned: Learned
    limits: Limits
    max_pixels: int

    def take(self, form: UploadForm) -> list[Outcome | FileError]:
        """Store the photographs of a form. Says of each what became of it, in order.

        Raises MissingClassNameError or BadClassNameError before anything is stored; and where the
        form is a single zip that cannot be used, the error that `Archive` raises.
        """
        class_name = accepted_class_name(form.class_name) if form.class_name else ""
        if not class_name and not all(is_archive(file.stream) for file in form.files):
            raise MissingClassNameError("A photograph")
        with self.database.reading() as session:
            known = DuplicateIndex.load(session, self.learned)
        outcomes: list[Outcome | FileError] = []
        for file in form.files:
            if is_archive(file.stream):
                alone = len(form.files) == 1
                outcomes += self._take_archive(known, file, class_name, alone)
            else:
                outcomes.append(self._take_photograph(known, file, class_name))
        return outcomes

    def _take_photograph(
        self, known: DuplicateIndex, file: SentFile, class_name: str
    ) -> Outcome | FileError:
        try:
            data = file.stream.read(self.limits.file_bytes + 1)
            if len(data) > self.limits.file_bytes:
                raise FileTooLargeError(self.limits.file_bytes)
            return self._store(known, data, class_name, file.filename)
        except ProblemError as error:
            return FileError.of(file.filename, error)

    def _take_archive(
        self, known: DuplicateIndex, file: SentFile, class_name: str, alone: bool
    ) -> Iterator[Outcome | FileError]:
        try:
            archive = Archive(file.stream, self.limits)
            if not (class_name or archive.folders):
                raise MissingClassNameError("A zip without folders")
        except ProblemError as error:
            if alone:
                raise
            yield FileError.of(file.filename, error)
            return
        # A lone folder is what the photographs were zipped in; several are classes.
        named = class_name if len(archive.folders) < 2 else ""
        for entry in archive.entries:
            filename = f"{file.filename}/{printable(entry.path)}"
            try:
                data = archive.read(entry)
                chosen = named or entry.folder or class_name
                if not chosen:
                    raise MissingClassNameError("A photograph outside of the folders")
                yield self._store(known, data, chosen, filename)
            except ArchiveTooLargeError as error:  # And so the rest of it is not read.
                yield FileError.of(filename, error)
                return
            except ProblemError as error:
                yield FileError.of(filename, error)

    def _store(self, known: DuplicateIndex, data: bytes, class_name: str, filename: str) -> Outcome:
        return store_photograph(
            self.database,
            self.blobs,
            known,
            data,
            class_name=class_name,
            origin="upload",
            filename=filename,
            max_pixels=self.max_pixels,
        )
