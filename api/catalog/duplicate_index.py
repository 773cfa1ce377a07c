"""Finds copies of a photo, in the catalog and in the training data of the serving model.

Signatures of all known photos propose candidates; `core.photo_copies` decides. Photos of the
catalog are compared by their thumbnails. For the training data only signatures and embeddings are
known: the embeddings decide, or the signatures alone if no model is loaded.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Generic, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy.orm import Session

from api.catalog import repository
from api.catalog.thumbnails import read_thumbnails
from api.core.arrays import FloatArray
from api.core.imaging.hashing import SIGNATURE_BYTES
from api.core.imaging.signature_match import best_windows, oriented, oriented_image, propose
from api.core.photo_copies import first_copy, is_alike
from api.model.package import MANIFEST, REPLAY, read_manifest
from api.model.training_index import TrainingIndex
from api.storage.blobs import Blobs
from api.storage.tables.photos import BoxedPhotoRow, ImageRow

MatchKind = Literal["exact", "near"]
_Row = TypeVar("_Row", ImageRow, BoxedPhotoRow)
# Maps an image to its embedding float32 [channels], by the serving model's backbone.
Embed = Callable[[Image.Image], FloatArray]
# Pairs of a known photo and an orientation that are compared. Fewer would miss copies that were
# cropped by a tenth (docs/log/data.md, 2026-11-28).
MAX_PROPOSALS = 24
# In the training data, pairs whose embeddings are compared, each orientation embedded once.
MAX_EMBEDDED = 3


def load_training_index(folder: Path) -> TrainingIndex:
    """The training index of the package in `folder`, cached; empty without a complete package."""
    try:
        modified_ns = (folder / MANIFEST).stat().st_mtime_ns
    except FileNotFoundError:
        return TrainingIndex.empty()
    return _read_training_index(folder, modified_ns)


@lru_cache(maxsize=2)
def _read_training_index(folder: Path, _modified_ns: int) -> TrainingIndex:
    """`_modified_ns` is part of the cache key, so that a replaced package is read again.

    Raises BadPackageError.
    """
    return TrainingIndex.load(folder / REPLAY, read_manifest(folder).classes)


@dataclass(frozen=True)
class KnownPhotos:
    """Where known photos are looked up. `embed` is None if no model is loaded."""

    blobs: Blobs
    training_index: TrainingIndex
    embed: Embed | None


class SourceGroup(NamedTuple):
    """The name of a group of files that show one photo, and their split."""

    photograph: str
    split: str


@dataclass(frozen=True)
class Match:
    """A known photo: the same file, or a copy of it.

    `image_id` is None if it is not in the catalog, only in the model's training data.
    """

    kind: MatchKind
    group: SourceGroup
    class_name: str
    image_id: str | None

    @property
    def photograph(self) -> str:
        return self.group.photograph


@dataclass(frozen=True)
class Photo:
    """A decoded photo. `thumbnail` uint8 [64, 64, 3] is of `image`."""

    image: Image.Image
    thumbnail: NDArray[np.uint8]


class _TableIndex(Generic[_Row]):
    """The signatures (80 bytes each) of the photos in one table, in memory."""

    def __init__(
        self, session: Session, blobs: Blobs, table: type[_Row], after: int | None
    ) -> None:
        self._blobs = blobs
        self._table: type[_Row] = table
        self._signatures = np.empty((0, SIGNATURE_BYTES), np.uint8)
        self._ids: list[str] = []
        # The first row that the last refresh added.
        self._first_new = 0
        # Before the signatures, so that no later photo is missed.
        self._last_number = repository.last_photo_number(session)
        self._extend(repository.signatures(session, after, table))

    def refresh(self, session: Session) -> None:
        """Add the photos that were stored or restored since the last call."""
        self._first_new = len(self._ids)
        after, self._last_number = self._last_number, repository.last_photo_number(session)
        self._extend(repository.signatures(session, after, self._table))

    def _extend(self, photos: Iterable[tuple[str, str]]) -> None:
        """`photos`: IDs and hexadecimal signatures."""
        rows = list(photos)
        if not rows:
            return
        ids, texts = zip(*rows, strict=True)
        self._ids += ids
        self._signatures = np.vstack([self._signatures, read_signatures(texts)])

    def find_copy(self, session: Session, photo: Photo, *, only_new: bool) -> _Row | None:
        """The photo that this is a copy of. `only_new`: among those that the last refresh added."""
        first = self._first_new if only_new else 0
        proposals = propose(photo.thumbnail, self._signatures[first:], MAX_PROPOSALS)
        ids = [self._ids[first + row] for row in proposals.rows]
        # Photos that have been deleted since have no thumbnail.
        known = read_thumbnails(session, self._blobs, ids, self._table)
        pairs = [
            (photo_id, oriented(photo.thumbnail, orientation))
            for photo_id, orientation in zip(ids, proposals.orientations.tolist(), strict=True)
            if photo_id in known
        ]
        if not pairs:
            return None
        copy = first_copy(
            np.stack([view for _, view in pairs]), np.stack([known[name] for name, _ in pairs])
        )
        return None if copy is None else session.get(self._table, pairs[copy][0])


class DuplicateIndex:
    """Hashes and signatures of all known photos, in memory.

    Made once per request and refreshed with what other processes add. Not thread-safe.
    """

    def __init__(self, session: Session, known: KnownPhotos, after: int | None = None) -> None:
        """`after`: only the catalog's photos with a higher number."""
        self._embed = known.embed
        self._training_index = known.training_index.without_catalog
        self._images = _TableIndex(session, known.blobs, ImageRow, after)
        self._boxed = _TableIndex(session, known.blobs, BoxedPhotoRow, after)

    def refresh(self, session: Session) -> None:
        """Add the photos that were stored since the last call."""
        self._images.refresh(session)
        self._boxed.refresh(session)

    def find_group(self, session: Session, sha256: str, photo: Photo) -> SourceGroup | None:
        """The group of the known photo, boxed or not, that this one is a copy of."""
        match = self.find_file(session, sha256) or self.find_copy(session, photo)
        return match.group if match else self.find_boxed_group(session, photo)

    def find_new_group(self, session: Session, sha256: str, photo: Photo) -> SourceGroup | None:
        """Like `find_group`, among the photos that the last refresh added."""
        match = self.find_file(session, sha256) or self.find_in_catalog(
            session, photo, only_new=True
        )
        return match.group if match else self.find_boxed_group(session, photo, only_new=True)

    def find_boxed_group(
        self, session: Session, photo: Photo, *, only_new: bool = False
    ) -> SourceGroup | None:
        """The group of the boxed photo that this one is a copy of."""
        row = self._boxed.find_copy(session, photo, only_new=only_new)
        return SourceGroup(row.photograph, row.split) if row else None

    def has_group(self, photograph: str) -> bool:
        """Whether the model learned from photos of this source group."""
        return bool((self._training_index.photographs == photograph).any())

    def find_file(self, session: Session, sha256: str) -> Match | None:
        """The photo of the same file. The catalog comes first: its images can be relabelled."""
        if image := repository.by_sha256(session, sha256):
            return _catalog_match("exact", image)
        row = self._training_index.row_of.get(sha256)
        return None if row is None else self._training_match("exact", row)

    def find_copy(self, session: Session, photo: Photo) -> Match | None:
        """The photo that this one is a copy of."""
        if match := self.find_in_catalog(session, photo):
            return match
        row = self._find_in_training_data(photo)
        return None if row is None else self._training_match("near", row)

    def find_in_catalog(
        self, session: Session, photo: Photo, *, only_new: bool = False
    ) -> Match | None:
        """The image of the catalog that the photo is a copy of.

        `only_new`: among those that the last refresh added.
        """
        image = self._images.find_copy(session, photo, only_new=only_new)
        return _catalog_match("near", image) if image else None

    def _find_in_training_data(self, photo: Photo) -> int | None:
        """The row that the photo is a copy of."""
        index = self._training_index
        proposals = propose(photo.thumbnail, index.signatures, MAX_PROPOSALS)
        agreement = np.empty(len(proposals.rows), np.float32)
        difference = np.empty(len(proposals.rows), np.float32)
        for orientation in np.unique(proposals.orientations).tolist():
            of_view = proposals.orientations == orientation
            view = oriented(photo.thumbnail, orientation)
            agreement[of_view], difference[of_view] = best_windows(
                view, index.signatures[proposals.rows[of_view]]
            )
        # Rows that are not copies even at the largest cosine need no embedding.
        likely = np.flatnonzero(is_alike(agreement, difference, 1.0))
        likely = likely[np.argsort(-agreement[likely], kind="stable")][:MAX_EMBEDDED]
        rows, orientations = proposals.rows[likely], proposals.orientations[likely].tolist()
        embeddings = index.embeddings(rows) if self._embed and len(rows) else None
        if self._embed is None or embeddings is None:
            alike = is_alike(agreement[likely], difference[likely])
        else:
            own = {
                orientation: index.centred(self._embed(oriented_image(photo.image, orientation)))
                for orientation in set(orientations)
            }
            cosine = np.array(
                [own[k] @ row for k, row in zip(orientations, embeddings, strict=True)], np.float32
            )
            alike = is_alike(agreement[likely], difference[likely], cosine)
        found = rows[alike]
        return int(found[0]) if len(found) else None

    def _training_match(self, kind: MatchKind, row: int) -> Match:
        index = self._training_index
        group = SourceGroup(str(index.photographs[row]), str(index.splits[row]))
        return Match(kind, group, str(index.class_names[row]), None)


def read_signatures(texts: Iterable[str]) -> NDArray[np.uint8]:
    """Signatures from hexadecimal, as the tables have them: uint8 [n, 80]."""
    return np.frombuffer(bytes.fromhex("".join(texts)), np.uint8).reshape(-1, SIGNATURE_BYTES)


def _catalog_match(kind: MatchKind, image: ImageRow) -> Match:
    return Match(kind, SourceGroup(image.photograph, image.split), image.class_name, image.id)
