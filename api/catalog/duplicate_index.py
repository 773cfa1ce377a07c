"""Finds duplicates of a photo, in the catalog and in the training data of the serving model."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from api.catalog import repository
from api.core.imaging.hashing import SIGNATURE_BYTES, near_rows
from api.model.package import MANIFEST, REPLAY, read_manifest
from api.model.replay_buffer import TrainingIndex
from api.storage.tables import ImageRow

MatchKind = Literal["exact", "near"]


def load_training_index(folder: Path) -> TrainingIndex:
    """The training index of the package in `folder`, cached; empty without a whole package."""
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
class Match:
    """A known photo: the same file, or a near-duplicate.

    `image_id` is None if it is not in the catalog, only in the model's training data.
    """

    kind: MatchKind
    photograph: str
    class_name: str
    image_id: str | None


class DuplicateIndex:
    """Hashes and signatures (80 bytes each) of all known photos, in memory.

    Loaded once per request and refreshed with what other processes add. Not thread-safe.
    """

    def __init__(self, training_index: TrainingIndex) -> None:
        self._training_index = training_index.without_catalog
        self._signatures = self._training_index.signatures
        self._ids: list[str] = []
        self._seen: set[str] = set()
        self._newest: datetime | None = None

    @classmethod
    def load(cls, session: Session, training_index: TrainingIndex) -> "DuplicateIndex":
        index = cls(training_index)
        index.refresh(session)
        return index

    def refresh(self, session: Session) -> None:
        """Add the images that were stored since the last call."""
        newest = repository.newest(session)  # Before the rows, so that no later one is missed.
        rows = [
            row for row in repository.signatures(session, self._newest) if row[0] not in self._seen
        ]
        self._newest = newest
        if not rows:
            return
        ids, texts = zip(*rows, strict=True)
        self._ids += ids
        self._seen.update(ids)
        self._signatures = np.vstack([self._signatures, read_signatures(texts)])

    def has_group(self, photograph: str) -> bool:
        """Whether the model learned from photos of this source group."""
        return bool((self._training_index.photographs == photograph).any())

    def find(
        self, session: Session, sha256: str, signature: NDArray[np.uint8] | None = None
    ) -> Match | None:
        """The photo with this hash, or else a near-duplicate of `signature`, uint8 [80].

        Images of the catalog come first, since they can be relabelled.
        """
        if image := repository.by_sha256(session, sha256):
            return _catalog_match("exact", image)
        if sha256 in self._training_index.row_of:
            return self._training_match("exact", self._training_index.row_of[sha256])
        if signature is None:
            return None
        # Rows of the catalog come after those of the model.
        for row in reversed(near_rows(signature, self._signatures).tolist()):
            catalog_row = row - len(self._training_index.signatures)
            if catalog_row < 0:
                return self._training_match("near", row)
            if image := session.get(ImageRow, self._ids[catalog_row]):  # None if deleted since.
                return _catalog_match("near", image)
        return None

    def _training_match(self, kind: MatchKind, row: int) -> Match:
        index = self._training_index
        return Match(kind, str(index.photographs[row]), str(index.class_names[row]), None)


def read_signatures(texts: Iterable[str]) -> NDArray[np.uint8]:
    """Signatures from hexadecimal, as the tables have them: uint8 [n, 80]."""
    return np.frombuffer(bytes.fromhex("".join(texts)), np.uint8).reshape(-1, SIGNATURE_BYTES)


def _catalog_match(kind: MatchKind, image: ImageRow) -> Match:
    return Match(kind, image.photograph, image.class_name, image.id)
