"""Which photographs are known: those of the catalog, and what the serving model learned from."""

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
from api.model.manifest import Manifest
from api.model.package import MANIFEST, REPLAY
from api.model.replay_buffer import Learned
from api.storage.tables import ImageRow

Kind = Literal["exact", "near"]


def learned_of(folder: Path) -> Learned:
    """What the package in `folder` learned from; nothing where there is no whole package."""
    try:
        changed = (folder / MANIFEST).stat().st_mtime_ns
    except FileNotFoundError:
        return Learned.nothing()
    return _read(folder, changed)


@lru_cache(maxsize=2)
def _read(folder: Path, changed: int) -> Learned:
    """`changed` is there for the cache: a package that was written anew is read anew."""
    manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    return Learned.load(folder / REPLAY, manifest.classes)


@dataclass(frozen=True)
class Match:
    """The known photograph that a new one equals, byte for byte or by its look.

    `image_id` is None where only the serving model knows it.
    """

    kind: Kind
    photograph: str
    class_name: str
    image_id: str | None


class DuplicateIndex:
    """The signatures of all known photographs, in memory: 80 bytes each.

    Read once for a request, and then kept up with what others add. For one thread.
    """

    def __init__(self, learned: Learned) -> None:
        self._learned = learned.apart_from_catalog
        self._signatures = self._learned.signatures
        self._ids: list[str] = []
        self._seen: set[str] = set()
        self._newest: datetime | None = None

    @classmethod
    def load(cls, session: Session, learned: Learned) -> "DuplicateIndex":
        known = cls(learned)
        known.refresh(session)
        return known

    def refresh(self, session: Session) -> None:
        """Take in the images that were added since."""
        newest = repository.newest(session)  # Asked first: a later one is found the next time.
        rows = [
            row for row in repository.signatures(session, self._newest) if row[0] not in self._seen
        ]
        self._newest = newest
        if not rows:
            return
        self._ids += (image_id for image_id, _ in rows)
        self._seen.update(image_id for image_id, _ in rows)
        added = np.frombuffer(bytes.fromhex("".join(text for _, text in rows)), np.uint8)
        self._signatures = np.vstack([self._signatures, added.reshape(-1, SIGNATURE_BYTES)])

    def find(
        self, session: Session, sha256: str, signature: NDArray[np.uint8] | None = None
    ) -> Match | None:
        """The photograph with this hash, or else one that looks like `signature`, uint8 [80].

        An image of the catalog comes before what only the model knows, for it can be relabelled.
        """
        if row := repository.by_sha256(session, sha256):
            return _of_image("exact", row)
        if sha256 in self._learned.row_of:
            return self._of_learned("exact", self._learned.row_of[sha256])
        if signature is None:
            return None
        # Those of the catalog come last.
        for place in reversed(near_rows(signature, self._signatures).tolist()):
            number = place - len(self._learned.signatures)
            if number < 0:
                return self._of_learned("near", place)
            if row := session.get(ImageRow, self._ids[number]):  # It may be gone by now.
                return _of_image("near", row)
        return None

    def _of_learned(self, kind: Kind, row: int) -> Match:
        learned = self._learned
        return Match(kind, str(learned.photographs[row]), str(learned.class_names[row]), None)


def _of_image(kind: Kind, row: ImageRow) -> Match:
    return Match(kind, row.photograph, row.class_name, row.id)
