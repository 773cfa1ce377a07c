"""What the serving model learned from: its replay, without the embeddings.

A replay's embeddings take far more memory than all the rest, and nobody here looks at them.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.imaging.hashing import SIGNATURE_BYTES
from api.registry.manifest import Manifest
from api.registry.package import MANIFEST, REPLAY


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
