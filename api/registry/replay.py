"""Replay: embeddings of the photographs that a package learned from and was measured on.

With them a new head is learned in seconds, without the photographs and without forgetting.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEPS = 255


@dataclass(frozen=True)
class Replay:
    """One row a photograph (or a boxed fruit in one).

    `embeddings` float32 [n, channels]; `targets` float32 [n, classes], rows summing to 1; `splits`
    strings train, validation or test; `photographs` the names that `dataset.grouping` gave;
    `sha256` hexadecimal of the file; `signatures` uint8 [n, 80].
    """

    embeddings: NDArray[np.float32]
    targets: NDArray[np.float32]
    splits: NDArray[np.str_]
    photographs: NDArray[np.str_]
    sha256: NDArray[np.str_]
    signatures: NDArray[np.uint8]

    def save(self, path: Path) -> None:
        """Write with a byte for each feature, in steps of 1/255 of the channel's range."""
        # Most networks end in a ReLU and have no features below 0, but not all.
        low = np.minimum(self.embeddings.min(axis=0), 0)
        scale = np.maximum(self.embeddings.max(axis=0) - low, 1e-6) / STEPS
        np.savez_compressed(
            path,
            quantised=np.rint((self.embeddings - low) / scale).astype(np.uint8),
            scale=scale.astype(np.float32),
            low=low.astype(np.float32),
            targets=self.targets,
            splits=self.splits,
            photographs=self.photographs,
            sha256=self.sha256,
            signatures=self.signatures,
        )

    @classmethod
    def load(cls, path: Path) -> "Replay":
        with np.load(path, allow_pickle=False) as arrays:
            stored: dict[str, NDArray[Any]] = dict(arrays)
        embeddings = stored.pop("quantised").astype(np.float32) * stored.pop("scale")
        embeddings += stored.pop("low", np.float32(0))  # Packages before it had none.
        return cls(embeddings, **stored)
