"""Reads parts of a replay buffer's file: its columns, and the embeddings of a few rows.

The API needs the columns all the time, but the embeddings take most of the memory.
"""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from api.core.imaging.hashing import SIGNATURE_BYTES
from api.model.package import BadPackageError
from api.model.replay_buffer import (
    BOX_PREFIX,
    DAMAGED,
    SURE_TARGET,
    default_columns,
    open_arrays,
)

BLOCK_ROWS = 1024


@dataclass(frozen=True)
class TrainingIndex:
    """A replay buffer without its embeddings.

    Columns as in `ReplayBuffer`; `class_names` strings [n] are the most likely targets. `source`
    reads the embeddings of a few rows; None if there is no file.
    """

    sha256: NDArray[np.str_]
    signatures: NDArray[np.uint8]
    photographs: NDArray[np.str_]
    class_names: NDArray[np.str_]
    splits: NDArray[np.str_]
    catalog: NDArray[np.bool_]
    looks: NDArray[np.float32]
    copies: NDArray[np.int32]
    source: "EmbeddingFile | None" = None

    @classmethod
    def load(cls, path: Path, classes: Sequence[str]) -> "TrainingIndex":
        """`classes` are those of the package."""
        with open_arrays(path) as arrays:  # Lazy: reads these columns only.
            targets, defaults = arrays["targets"], default_columns(len(arrays["targets"]))
            return cls(
                sha256=arrays["sha256"],
                signatures=np.ascontiguousarray(arrays["signatures"]),
                photographs=arrays["photographs"],
                class_names=np.array(classes)[targets.argmax(axis=1)],
                splits=arrays["splits"],
                **{
                    name: arrays.get(name, defaults[name])
                    for name in ("catalog", "looks", "copies")
                },
                source=EmbeddingFile(path, np.arange(len(targets))),
            )

    @classmethod
    def empty(cls) -> "TrainingIndex":
        """The index while no model is loaded."""
        none, defaults = np.empty(0, np.str_), default_columns(0)
        signatures = np.empty((0, SIGNATURE_BYTES), np.uint8)
        own = (defaults["catalog"], defaults["looks"], defaults["copies"])
        return cls(none, signatures, none, none, none, *own)

    @property
    def boxed(self) -> NDArray[np.bool_]:
        """Which rows are bounding boxes: bool [n]."""
        return np.char.startswith(self.photographs, BOX_PREFIX)

    @cached_property
    def without_catalog(self) -> "TrainingIndex":
        """Rows that are not from the catalog: a photo removed there may be uploaded again."""
        kept = ~self.catalog
        columns = {
            name: column[kept]
            for name, column in vars(self).items()
            if isinstance(column, np.ndarray)
        }
        source = self.source and EmbeddingFile(self.source.path, self.source.rows[kept])
        return replace(self, **columns, source=source)

    def embeddings(self, rows: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """As `EmbeddingFile.read`; None if there is no file, or it is gone or damaged."""
        try:
            return self.source.read(rows) if self.source else None
        except (*DAMAGED, BadPackageError):
            return None

    def centred(self, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        """An embedding of the same backbone, float32 [channels], centred like `embeddings`."""
        return self.source.centred(embedding) if self.source else embedding

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The first row of each SHA-256."""
        rows = range(len(self.sha256) - 1, -1, -1)
        return {str(self.sha256[row]): row for row in rows}


@dataclass(frozen=True)
class EmbeddingFile:
    """Reads embeddings of a saved replay buffer, a block at a time.

    `rows` are the rows of the file, in the order of the index. Embeddings are centred and of length
    1, so a product is a cosine.
    """

    path: Path
    rows: NDArray[np.int64]

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Embeddings of rows of the index: float32 [k, channels].

        Raises what reading a missing or damaged file raises.
        """
        wanted = self.rows[rows]
        quantized = np.empty((len(wanted), len(self._scale[0])), np.float32)
        for start, block in self._blocks():
            here = (wanted >= start) & (wanted < start + len(block))
            quantized[here] = block[wanted[here] - start]
        step, lowest, _ = self._scale
        return self.centred(quantized * step + lowest)

    def centred(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embeddings float32 [..., channels] minus the mean of all, scaled to length 1."""
        centred = embeddings - self._scale[2]
        length = np.linalg.norm(centred, axis=-1, keepdims=True)
        result: NDArray[np.float32] = centred / np.maximum(length, np.float32(1e-12))
        return result

    @cached_property
    def _scale(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Step and lowest value of each channel, and the mean of all embeddings."""
        with open_arrays(self.path) as arrays:
            step, lowest = arrays["step"], arrays["lowest"].astype(np.float32)
        total, count = np.zeros(len(step), np.float64), 0
        for _, block in self._blocks():
            total += block.sum(axis=0)
            count += len(block)
        return step, lowest, (total / max(count, 1) * step + lowest).astype(np.float32)

    def _blocks(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Quantized embeddings uint8 [up to BLOCK_ROWS, channels], each with its first row."""
        with zipfile.ZipFile(self.path) as archive, archive.open("quantised.npy") as stream:
            npy.read_magic(stream)
            (count, channels), in_fortran_order, _ = npy.read_array_header_1_0(stream)
            if in_fortran_order:
                raise ValueError("Embeddings are stored row by row.")
            for start in range(0, count, BLOCK_ROWS):
                rows = min(BLOCK_ROWS, count - start)
                data = stream.read(rows * channels)
                yield start, np.frombuffer(data, np.uint8).reshape(rows, channels)


def load_embeddings(path: Path, split: str | None = None) -> NDArray[np.float32]:
    """Embeddings of a saved replay buffer: float32 [n, channels]. One `split` saves memory."""
    with open_arrays(path) as arrays:
        rows = slice(None) if split is None else arrays["splits"] == split
        embeddings: NDArray[np.float32] = arrays["quantised"][rows].astype(np.float32)
        embeddings *= arrays["step"]
        embeddings += arrays["lowest"]
    return embeddings


@dataclass(frozen=True)
class HeldOutRows:
    """The rows that a version is measured by, all of a sure class: n photos, or boxes in photos.

    `embeddings` float32 [n, channels]; the others are strings [n], as in `ReplayBuffer`.
    """

    embeddings: NDArray[np.float32]
    class_names: NDArray[np.str_]
    sha256: NDArray[np.str_]
    photographs: NDArray[np.str_]
    sources: NDArray[np.str_]


def load_held_out(path: Path, classes: Sequence[str]) -> HeldOutRows:
    """From the saved replay buffer of a package with `classes`. Raises BadPackageError."""
    with open_arrays(path) as arrays:
        targets = arrays["targets"]
        rows = (arrays["splits"] == "test") & (targets.max(axis=1) > SURE_TARGET)
        embeddings: NDArray[np.float32] = arrays["quantised"][rows].astype(np.float32)
        embeddings *= arrays["step"]
        embeddings += arrays["lowest"]
        sources = arrays.get("sources", default_columns(len(targets))["sources"])
        return HeldOutRows(
            embeddings=embeddings,
            class_names=np.array(classes)[targets[rows].argmax(axis=1)],
            sha256=arrays["sha256"][rows],
            photographs=arrays["photographs"][rows],
            sources=sources[rows],
        )
