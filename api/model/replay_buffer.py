"""Replay: embeddings of the photographs that a package learned from and was measured on.

With them a new head is learned in seconds, without the photographs and without forgetting.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.imaging.hashing import SIGNATURE_BYTES

STEPS = 255
# What the photograph of a row that shows one boxed fruit of a frame begins with.
BOXED = "boxed/"
# The columns of `Replay.looks`: the first three as in `dataset.appearance`, the rest in pixels.
LOOKS = ("brightness", "saturation", "hue", "width", "height")


@dataclass(frozen=True)
class Others:
    """Photographs of none of the classes: other produce, and other things.

    `embeddings` float32 [k, channels]; `groups` strings, `other/<kind>` or `far/<file>`, empty
    where that is not known; `splits` strings; `freshness` float32 [k] 1 not rotten, 0 rotten, NaN
    not known.
    """

    embeddings: NDArray[np.float32]
    groups: NDArray[np.str_]
    splits: NDArray[np.str_]
    freshness: NDArray[np.float32]

    @classmethod
    def unnamed(cls, embeddings: NDArray[np.float32], split: str = "train") -> "Others":
        """Of which nothing is known but that they are none of the classes."""
        count = len(embeddings)
        return cls(
            embeddings,
            np.full(count, "", np.str_),
            np.full(count, split),
            np.full(count, np.nan, np.float32),
        )

    def __len__(self) -> int:
        return len(self.embeddings)

    def rows(self, wanted: NDArray[np.bool_]) -> "Others":
        """Those that are `wanted`, bool [k]."""
        return Others(*(column[wanted] for column in vars(self).values()))

    @classmethod
    def join(cls, parts: Sequence["Others"]) -> "Others":
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True)
class Replay:
    """One row a photograph (or a boxed fruit in one).

    `embeddings` float32 [n, channels]; `targets` float32 [n, classes], rows summing to 1; `splits`
    strings train, validation or test; `photographs` the names that `dataset.grouping` gave;
    `sha256` hexadecimal of the file; `signatures` uint8 [n, 80]; `catalog` bool [n], whether the
    row came from the catalog, where it may be relabelled or removed. `looks` float32 [n, 5] has the
    columns LOOKS, NaN where they were not measured; `copies` int32 [n] counts the files that there
    are of the photograph, 0 where that is not known; `sources` strings name where it comes from,
    empty where that is not known. `views` float32 [m, channels] are embeddings of altered copies,
    to learn from besides; `view_of` int32 [m] has their rows. `others` are photographs of none of
    the classes.
    """

    embeddings: NDArray[np.float32]
    targets: NDArray[np.float32]
    splits: NDArray[np.str_]
    photographs: NDArray[np.str_]
    sha256: NDArray[np.str_]
    signatures: NDArray[np.uint8]
    catalog: NDArray[np.bool_]
    looks: NDArray[np.float32]
    copies: NDArray[np.int32]
    sources: NDArray[np.str_]
    others: "Others"
    views: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    view_of: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    def seen(self, row: int) -> NDArray[np.float32]:
        """The embedding of a row and then those of its views: float32 [1 + views, channels]."""
        own = self.embeddings[row][None]
        return np.concatenate([own, self.views[self.view_of == row].reshape(-1, own.shape[1])])

    @property
    def boxed(self) -> NDArray[np.bool_]:
        """Which rows show one boxed fruit of a frame: bool [n]."""
        return np.char.startswith(self.photographs, BOXED)

    def save(self, path: Path) -> None:
        """Write with a byte for each feature, in steps of 1/255 of the channel's range."""
        both = np.concatenate([self.embeddings, self.others.embeddings])
        lowest = both.min(axis=0)
        step = np.maximum(both.max(axis=0) - lowest, 1e-6) / STEPS
        quantised = np.rint((both - lowest) / step).astype(np.uint8)
        np.savez_compressed(
            path,
            quantised=quantised[: len(self.embeddings)],
            lowest=lowest,
            step=step.astype(np.float32),
            targets=self.targets,
            splits=self.splits,
            photographs=self.photographs,
            sha256=self.sha256,
            signatures=self.signatures,
            catalog=self.catalog,
            looks=self.looks,
            copies=self.copies,
            sources=self.sources,
            other_quantised=quantised[len(self.embeddings) :],
            other_groups=self.others.groups,
            other_splits=self.others.splits,
            other_freshness=self.others.freshness,
            views=self.views.astype(np.float16),
            view_of=self.view_of,
        )

    @classmethod
    def load(cls, path: Path) -> "Replay":
        """Read what `save` wrote; in older files nothing is of the catalog, nothing other, and
        looks, copies and sources are not known."""
        with np.load(path, allow_pickle=False) as arrays:
            stored: dict[str, NDArray[Any]] = dict(arrays)
        step, lowest = stored.pop("step"), stored.pop("lowest")
        embeddings = stored.pop("quantised").astype(np.float32) * step + lowest
        rows, channels = embeddings.shape
        stored = {**_unknown(rows), **stored}
        unnamed = stored.pop("others", np.empty((0, channels))).astype(np.float32)
        others = Others.unnamed(unnamed)
        if "other_quantised" in stored:
            others = Others(
                stored.pop("other_quantised").astype(np.float32) * step + lowest,
                stored.pop("other_groups"),
                stored.pop("other_splits"),
                stored.pop("other_freshness"),
            )
        views = stored.pop("views", np.empty((0, channels))).astype(np.float32)
        return cls(embeddings, **stored, others=others, views=views)


@dataclass(frozen=True)
class Learned:
    """A saved replay without its embeddings, which take far more memory than all the rest.

    Columns as in `Replay`; `class_names` strings [n] are the classes that the targets give most to.
    """

    sha256: NDArray[np.str_]
    signatures: NDArray[np.uint8]
    photographs: NDArray[np.str_]
    class_names: NDArray[np.str_]
    splits: NDArray[np.str_]
    catalog: NDArray[np.bool_]
    looks: NDArray[np.float32]
    copies: NDArray[np.int32]

    @classmethod
    def load(cls, path: Path, classes: Sequence[str]) -> "Learned":
        """`classes` are those of the package."""
        with np.load(path, allow_pickle=False) as arrays:  # Reads what is asked for only.
            targets, unknown = arrays["targets"], _unknown(len(arrays["targets"]))
            return cls(
                sha256=arrays["sha256"],
                signatures=np.ascontiguousarray(arrays["signatures"]),
                photographs=arrays["photographs"],
                class_names=np.array(classes)[targets.argmax(axis=1)],
                splits=arrays["splits"],
                **{
                    name: arrays.get(name, unknown[name]) for name in ("catalog", "looks", "copies")
                },
            )

    @classmethod
    def nothing(cls) -> "Learned":
        """Where no model serves."""
        none, unknown = np.empty(0, np.str_), _unknown(0)
        signatures = np.empty((0, SIGNATURE_BYTES), np.uint8)
        own = (unknown["catalog"], unknown["looks"], unknown["copies"])
        return cls(none, signatures, none, none, none, *own)

    @property
    def boxed(self) -> NDArray[np.bool_]:
        """Which rows show one boxed fruit of a frame: bool [n]."""
        return np.char.startswith(self.photographs, BOXED)

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


def learned_labels(path: Path, classes: Sequence[str]) -> tuple[dict[str, str], frozenset[str]]:
    """The class of each file in a saved replay by its SHA-256, and which files are the catalog's.

    Boxed fruits are left out.
    """
    learned = Learned.load(path, classes)
    sha256, whole = learned.sha256, ~learned.boxed
    named = dict(zip(sha256[whole].tolist(), learned.class_names[whole].tolist(), strict=True))
    return named, frozenset(sha256[whole & learned.catalog].tolist())


def load_embeddings(path: Path, split: str | None = None) -> NDArray[np.float32]:
    """Of a saved replay, or of one split of it alone: float32 [n, channels].

    All of them take much memory, and serving has little.
    """
    with np.load(path, allow_pickle=False) as arrays:
        rows = slice(None) if split is None else arrays["splits"] == split
        embeddings: NDArray[np.float32] = arrays["quantised"][rows].astype(np.float32)
        embeddings *= arrays["step"]
        embeddings += arrays["lowest"]
    return embeddings


def _unknown(rows: int) -> dict[str, NDArray[Any]]:
    """What stands for the columns that older files do not have."""
    return {
        "catalog": np.zeros(rows, bool),
        "looks": np.full((rows, len(LOOKS)), np.nan, np.float32),
        "copies": np.zeros(rows, np.int32),
        "sources": np.full(rows, "", np.str_),
    }
