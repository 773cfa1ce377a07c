"""The replay buffer of a package: embeddings of its training and test photos.

New heads are trained on it in seconds, without the photos and without forgetting.
"""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.imaging.hashing import SIGNATURE_BYTES
from api.core.npz import check_npz
from api.model.package import BadPackageError

QUANTIZATION_STEPS = 255
# Half a million photos of 1,280 channels take 700 MB.
MAX_BYTES = 2**30
# Above the largest target of fruit of unknown level (0.5), below that of fruit past its best in
# older packages (0.9).
SURE_TARGET = 0.75
DAMAGED = (OSError, EOFError, KeyError, ValueError, zlib.error, zipfile.BadZipFile)
# Prefix of `photographs` of a row that is one bounding box of a photo.
BOX_PREFIX = "boxed/"
# Prefix of the arrays of `RetiredRows` in the file.
RETIRED = "retired_"
# The columns of `looks`: as in `core.appearance`, and the size in pixels.
APPEARANCE_COLUMNS = ("brightness", "saturation", "hue", "width", "height")


@contextmanager
def open_arrays(path: Path) -> Iterator[Any]:
    """The arrays of an .npz file. Raises BadPackageError, in the body too, if it is damaged."""
    try:
        check_npz(path, MAX_BYTES)
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except DAMAGED as error:
        raise BadPackageError(f"{path} cannot be read: {error}") from error


# Identifies a row: SHA-256 of the file, and signature of the part that the row shows.
RowKey = tuple[str, bytes]


def row_keys(sha256: NDArray[np.str_], signatures: NDArray[np.uint8]) -> list[RowKey]:
    return [(str(file), look.tobytes()) for file, look in zip(sha256, signatures, strict=True)]


@dataclass(frozen=True)
class OodSamples:
    """Out-of-distribution images: other produce, and other things.

    `embeddings` float32 [k, channels]; `groups` strings, `other/<kind>` or `far/<file>`, empty if
    unknown; `splits` strings; `freshness` float32 [k]: 1 not rotten, 0 rotten, NaN unknown.
    """

    embeddings: NDArray[np.float32]
    groups: NDArray[np.str_]
    splits: NDArray[np.str_]
    freshness: NDArray[np.float32]

    @classmethod
    def of_embeddings(cls, embeddings: NDArray[np.float32], split: str = "train") -> "OodSamples":
        """With unknown groups and freshness."""
        count = len(embeddings)
        return cls(
            embeddings,
            np.full(count, "", np.str_),
            np.full(count, split),
            np.full(count, np.nan, np.float32),
        )

    def __len__(self) -> int:
        return len(self.embeddings)

    def rows(self, wanted: NDArray[np.bool_]) -> "OodSamples":
        """A subset, by `wanted` bool [k]."""
        return OodSamples(*(column[wanted] for column in vars(self).values()))

    @classmethod
    def join(cls, parts: Sequence["OodSamples"]) -> "OodSamples":
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True)
class RetiredRows:
    """Held-out photos of classes that the package does not have, or no longer has.

    They judge every later candidate that has such a class again. Columns as in `ReplayBuffer`;
    `class_names` strings [r].
    """

    embeddings: NDArray[np.float32]
    class_names: NDArray[np.str_]
    photographs: NDArray[np.str_]
    sha256: NDArray[np.str_]
    signatures: NDArray[np.uint8]
    looks: NDArray[np.float32]
    copies: NDArray[np.int32]
    sources: NDArray[np.str_]

    @classmethod
    def none(cls, channels: int) -> "RetiredRows":
        text = np.empty(0, np.str_)
        return cls(
            np.empty((0, channels), np.float32),
            text,
            text,
            text,
            np.empty((0, SIGNATURE_BYTES), np.uint8),
            np.empty((0, len(APPEARANCE_COLUMNS)), np.float32),
            np.empty(0, np.int32),
            text,
        )

    def __len__(self) -> int:
        return len(self.embeddings)

    def rows(self, wanted: NDArray[np.bool_]) -> "RetiredRows":
        """A subset, by `wanted` bool [r]."""
        return RetiredRows(*(column[wanted] for column in vars(self).values()))

    @classmethod
    def join(cls, parts: Sequence["RetiredRows"]) -> "RetiredRows":
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True)
class ReplayBuffer:
    """A row per photo, or per bounding box of one.

    `embeddings` float32 [n, channels]; `targets` float32 [n, classes], rows summing to 1; `splits`
    strings train, validation or test; `photographs` strings, the source groups; `sha256` strings,
    of the file in hexadecimal; `signatures` uint8 [n, 80]; `catalog` bool [n], from the catalog,
    where photos may be relabelled or removed; `looks` float32 [n, 5], the columns
    APPEARANCE_COLUMNS, NaN if unknown; `copies` int32 [n], number of files of the photo, 0 if
    unknown; `sources` strings, empty if unknown. `views` float32 [m, channels] are embeddings of
    augmented copies of the rows `view_of` int32 [m]. `others` are OOD images.

    For the promotion gate: `first_class` strings, the class of a test row when a model was first
    judged by it, else empty; `first_right` int8 [n], whether that model was right: 1, 0, or -1 if
    unknown; `contradicted` bool [n], whether the champion of the time graded it as another class,
    sure or not, when it was added; `retired`, held-out photos of other classes.
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
    others: OodSamples
    first_class: NDArray[np.str_]
    first_right: NDArray[np.int8]
    contradicted: NDArray[np.bool_]
    retired: RetiredRows
    views: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    view_of: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    def with_views(self, row: int) -> NDArray[np.float32]:
        """Embeddings of a row and its views: float32 [1 + views, channels]."""
        own = self.embeddings[row][None]
        return np.concatenate([own, self.views[self.view_of == row].reshape(-1, own.shape[1])])

    @property
    def boxed(self) -> NDArray[np.bool_]:
        """Which rows are bounding boxes: bool [n]."""
        return np.char.startswith(self.photographs, BOX_PREFIX)

    @property
    def keys(self) -> list[RowKey]:
        return row_keys(self.sha256, self.signatures)

    def save(self, path: Path) -> None:
        """Embeddings are quantized to a byte per channel, in steps of 1/255 of its range."""
        parts = [self.embeddings, self.others.embeddings, self.retired.embeddings]
        every = np.concatenate(parts)
        lowest = every.min(axis=0)
        step = np.maximum(every.max(axis=0) - lowest, 1e-6) / QUANTIZATION_STEPS
        quantized = np.rint((every - lowest) / step).astype(np.uint8)
        own, others, retired = np.split(quantized, np.cumsum([len(part) for part in parts])[:2])
        np.savez_compressed(
            path,
            quantised=own,
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
            other_quantised=others,
            other_groups=self.others.groups,
            other_splits=self.others.splits,
            other_freshness=self.others.freshness,
            views=self.views.astype(np.float16),
            view_of=self.view_of,
            first_class=self.first_class,
            first_right=self.first_right,
            contradicted=self.contradicted,
            retired_quantised=retired,
            **{
                f"{RETIRED}{name}": column
                for name, column in vars(self.retired).items()
                if name != "embeddings"
            },
        )

    @classmethod
    def load(cls, path: Path) -> "ReplayBuffer":
        """Read a file that `save` wrote; columns that older files lack get `default_columns`."""
        with open_arrays(path) as arrays:
            stored: dict[str, NDArray[Any]] = dict(arrays)
        step, lowest = stored.pop("step"), stored.pop("lowest")
        embeddings = stored.pop("quantised").astype(np.float32) * step + lowest
        rows, channels = embeddings.shape
        stored = {**default_columns(rows), **stored}
        others = OodSamples.of_embeddings(
            stored.pop("others", np.empty((0, channels))).astype(np.float32)
        )
        if "other_quantised" in stored:
            others = OodSamples(
                stored.pop("other_quantised").astype(np.float32) * step + lowest,
                stored.pop("other_groups"),
                stored.pop("other_splits"),
                stored.pop("other_freshness"),
            )
        retired = RetiredRows.none(channels)
        if f"{RETIRED}quantised" in stored:
            columns = {
                name.removeprefix(RETIRED): stored.pop(name)
                for name in list(stored)
                if name.startswith(RETIRED)
            }
            retired_embeddings = columns.pop("quantised").astype(np.float32) * step + lowest
            retired = RetiredRows(retired_embeddings, **columns)
        views = stored.pop("views", np.empty((0, channels))).astype(np.float32)
        return cls(embeddings, **stored, others=others, retired=retired, views=views)


def default_columns(rows: int) -> dict[str, NDArray[Any]]:
    """The columns that older files lack, with the values that they get."""
    return {
        "catalog": np.zeros(rows, bool),
        "looks": np.full((rows, len(APPEARANCE_COLUMNS)), np.nan, np.float32),
        "copies": np.zeros(rows, np.int32),
        "sources": np.full(rows, "", np.str_),
        "first_class": np.full(rows, "", np.str_),
        "first_right": np.full(rows, -1, np.int8),
        "contradicted": np.zeros(rows, bool),
    }
