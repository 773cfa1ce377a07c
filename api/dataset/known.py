"""Photographs that are known already: the catalog's, and those that the serving model learned from.

Of the model's replay the embeddings are left aside: they take far more memory than all the rest,
and nobody here looks at them.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from api.dataset import repository
from api.dataset.repository import ImageRow
from api.imaging.hashing import SIGNATURE_BYTES, near_rows
from api.registry.manifest import Manifest
from api.registry.package import MANIFEST, REPLAY

Kind = Literal["exact", "near"]


@dataclass(frozen=True)
class Learned:
    """One row a photograph (or a boxed fruit in one), as in `registry.replay.Replay`.

    `sha256`, `photographs`, `class_names` and `splits` are strings [n]; `signatures` uint8 [n, 80];
    `catalog` bool [n] says which came from the catalog. The class of a row is the one that its
    target gives most to.
    """

    sha256: NDArray[np.str_]
    signatures: NDArray[np.uint8]
    photographs: NDArray[np.str_]
    class_names: NDArray[np.str_]
    splits: NDArray[np.str_]
    catalog: NDArray[np.bool_]

    @classmethod
    def nothing(cls) -> "Learned":
        """Where no model serves."""
        none = np.empty(0, np.str_)
        return cls(
            none, np.empty((0, SIGNATURE_BYTES), np.uint8), none, none, none, np.empty(0, np.bool_)
        )

    @cached_property
    def apart_from_catalog(self) -> "Learned":
        """The rows that only the model knows. What was removed from the catalog may come again."""
        kept = ~self.catalog
        return Learned(
            *(rows[kept] for rows in vars(self).values() if isinstance(rows, np.ndarray))
        )

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of a file's hash, the first where there are several."""
        rows = range(len(self.sha256) - 1, -1, -1)
        return {str(self.sha256[row]): row for row in rows}


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
    with np.load(folder / REPLAY, allow_pickle=False) as arrays:  # Reads what is asked for only.
        return Learned(
            sha256=arrays["sha256"],
            signatures=np.ascontiguousarray(arrays["signatures"]),
            photographs=arrays["photographs"],
            class_names=np.array(manifest.classes)[arrays["targets"].argmax(axis=1)],
            splits=arrays["splits"],
            # Packages that were made before there was a catalog say nothing of it.
            catalog=arrays.get("catalog", np.zeros(len(arrays["sha256"]), np.bool_)),
        )


@dataclass(frozen=True)
class Match:
    """The known photograph that a new one equals, byte for byte or by its look.

    `image_id` is None where only the serving model knows it.
    """

    kind: Kind
    photograph: str
    class_name: str
    image_id: str | None


class Known:
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
    def load(cls, session: Session, learned: Learned) -> "Known":
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
            if row := repository.get(session, self._ids[number]):  # It may be gone by now.
                return _of_image("near", row)
        return None

    def _of_learned(self, kind: Kind, row: int) -> Match:
        learned = self._learned
        return Match(kind, str(learned.photographs[row]), str(learned.class_names[row]), None)


def _of_image(kind: Kind, row: ImageRow) -> Match:
    return Match(kind, row.photograph, row.class_name, row.id)
