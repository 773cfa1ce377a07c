"""Principal components: the directions in which embeddings differ most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from api.predict.arrays import FloatArray, l2_normalize

# A few directions more than the two wanted, and a few rounds, make those two exact to the eye.
DIRECTIONS = 10
ROUNDS = 12


@dataclass(frozen=True)
class Projection:
    """Onto two axes: `middle` float32 [channels], `axes` [channels, 2], `explained` the share of
    the variance along either."""

    middle: FloatArray
    axes: FloatArray
    explained: tuple[float, float]

    def of(self, embeddings: FloatArray) -> FloatArray:
        """Points float32 [n, 2] of embeddings float32 [n, channels], each scaled to length 1."""
        centred: FloatArray = l2_normalize(embeddings) - self.middle
        points: FloatArray = centred @ self.axes
        return points


def fit_projection(embeddings: FloatArray) -> Projection:
    """Of embeddings float32 [n, channels], each scaled to length 1, as OOD detection sees it.

    By subspace iteration from a fixed start, so that the map is the same every time: N. Halko et
    al., "Finding Structure with Randomness" (2011). The whole decomposition takes far longer.
    """
    rows = l2_normalize(embeddings)
    middle: FloatArray = (rows.sum(axis=0) / max(len(rows), 1)).astype(np.float32)
    rows -= middle
    found = np.random.default_rng(0).normal(size=(rows.shape[1], DIRECTIONS)).astype(np.float32)
    for _ in range(ROUNDS):
        found, _ = np.linalg.qr(rows.T @ (rows @ found))
    _, scales, turned = np.linalg.svd(rows @ found, full_matrices=False)
    axes = np.zeros((rows.shape[1], 2), np.float32)
    leading = found @ turned[:2].T
    axes[:, : leading.shape[1]] = leading * _signs(leading)
    shares = np.zeros(2)
    shares[: len(scales[:2])] = np.square(scales[:2]) / max(float(np.square(rows).sum()), 1e-12)
    return Projection(middle, axes, (float(shares[0]), float(shares[1])))


def _signs(axes: FloatArray) -> NDArray[np.float32]:
    """Either way along an axis is as good; the largest entry is made positive."""
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.where(largest < 0, np.float32(-1), np.float32(1))
