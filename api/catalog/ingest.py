"""Taking one photograph into the catalog: the blob first, then the row, then the word for it."""

from dataclasses import asdict, dataclass
from typing import Literal, Self
from uuid import uuid4

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.catalog import repository
from api.catalog.duplicate_index import DuplicateIndex, Kind, Match
from api.catalog.sanitize import prepare
from api.core.class_names import accepted_class_name
from api.core.imaging.decode import MAX_PIXELS
from api.core.imaging.hashing import content_hash
from api.core.near_duplicates import is_saved_copy, photograph_name, plain_name
from api.core.splits import split_of
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables import ImageRow

Origin = Literal["upload", "feedback", "review"]
PHOTOGRAPHS = "photographs"
MAX_STEM = 120


@dataclass(frozen=True)
class Stored:
    """A photograph that is in the catalog now, blob and row. `filename` is as it was sent."""

    filename: str
    image: ImageRow


class DuplicateFile(BaseModel):
    """A file that was known, and so was not stored again."""

    filename: str
    of: str = Field(description="The photograph that it shows.")
    image_id: str | None = Field(description="Null where only the serving model knows it.")
    kind: Kind = Field(description="exact: the same file; near: it looks the same.")
    class_name: str = Field(description="The class that it has.")
    message: str

    @classmethod
    def of_match(cls, filename: str, match: Match, given: str) -> Self:
        """`given` is the class that the file came with."""
        return cls(
            filename=filename,
            of=match.photograph,
            image_id=match.image_id,
            kind=match.kind,
            class_name=match.class_name,
            message=_message(match, given),
        )


Outcome = Stored | DuplicateFile


def _message(match: Match, given: str) -> str:
    """What it is a duplicate of, and what to do where the classes differ."""
    what = "This file is" if match.kind == "exact" else "This picture looks like one that is"
    where = "" if match.image_id else " among those that the serving model learned from"
    had = f"{what} known already{where}, as {match.class_name}"
    if match.class_name == given:
        return f"{had}."
    if match.image_id:
        return (
            f"{had} and not {given}. If {given} is right, relabel it: "
            f"PATCH /dataset/images/{match.image_id}."
        )
    return (
        f"{had} and not {given}. It is not in the catalog, so there is nothing to relabel: put it "
        "right in the folder that this model was trained on, and train anew."
    )


def store_photograph(
    database: Database,
    blobs: Blobs,
    known: DuplicateIndex,
    data: bytes,
    *,
    class_name: str,
    origin: Origin,
    filename: str,
    max_pixels: int = MAX_PIXELS,
) -> Outcome:
    """Store the photograph unless it is known; when this returns it is on disk.

    `class_name` is in anybody's wording. Raises BadClassNameError and what `imaging.decode` raises;
    nothing is stored then.
    """
    class_name = accepted_class_name(class_name)
    sha256 = content_hash(data)
    with database.reading() as session:
        match = known.find(session, sha256)
    if match:
        return DuplicateFile.of_match(filename, match, class_name)
    prepared = prepare(data, max_pixels)
    with database.reading() as session:
        match = known.find(session, sha256, prepared.signature)
    if match:
        return DuplicateFile.of_match(filename, match, class_name)

    key = f"{PHOTOGRAPHS}/{sha256[:2]}/{sha256}{prepared.suffix}"
    blobs.put(key, prepared.data)
    with database.session() as session:
        repository.write_alone(session)
        # Somebody else may have stored the same meanwhile, or removed it and its blob.
        known.refresh(session)
        if match := known.find(session, sha256, prepared.signature):
            return DuplicateFile.of_match(filename, match, class_name)
        if not blobs.exists(key):
            blobs.put(key, prepared.data)
        photograph = _photograph_of(session, class_name, filename, sha256)
        row = ImageRow(
            id=uuid4().hex,
            sha256=sha256,
            signature=prepared.signature.tobytes().hex(),
            class_name=class_name,
            photograph=photograph,
            split=split_of(photograph),
            origin=origin,
            filename=plain_name(filename),
            width=prepared.width,
            height=prepared.height,
            bytes=len(prepared.data),
            **asdict(prepared.appearance),
            blob=key,
        )
        session.add(row)
    return Stored(filename, row)


def _photograph_of(session: Session, class_name: str, filename: str, sha256: str) -> str:
    """The name of the photograph in a file that looks like no other.

    A saved copy joins its original, and an original its copies. But telephones call every picture
    `image.jpg`: two originals of one name are two photographs.
    """
    plain = plain_name(filename)
    name = f"{class_name}/{photograph_name(plain)[:MAX_STEM]}"
    if is_saved_copy(plain):
        return name
    taken = any(not is_saved_copy(other) for other in repository.file_names(session, name))
    return f"{name}-{sha256[:8]}" if taken else name
