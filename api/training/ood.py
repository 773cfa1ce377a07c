"""Fitting the statistics that tell known classes from everything else."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from api.core.arrays import l2_normalize
from api.core.ood import OodDetector, dequantize, quantize

DIRECTIONS = 256
SHRINKAGE = 0.1
# The share of known photographs of every source that may be rejected.
REJECTED_KNOWN = 0.02
# A source with fewer held-out photographs says nothing about so small a share by itself.
ENOUGH_OF_A_SOURCE = 25
# Of a class that is new there are too few photographs for so small a share.
REJECTED_NEW = 0.05


def fit_ood(embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> OodDetector:
    """Class means and the shared spread of training embeddings [n, channels] with labels [n].

    Labels are 0 to classes - 1, each at least once. The threshold is still infinite: nothing is
    rejected until one is chosen. Takes the leading directions and shrinks their spread towards its
    mean, so that directions in which nothing was seen do not decide alone.
    """
    x = l2_normalize(embeddings.astype(np.float64))
    means = _class_means(x, labels)
    centred = x - x.mean(axis=0)
    last = x.shape[1] - 1
    first = max(0, last + 1 - min(DIRECTIONS, len(x)))
    _, leading = eigh(centred.T @ centred, subset_by_index=(first, last))
    within = (x - means[labels]) @ leading
    variance, axes = eigh(within.T @ within / len(x))
    scale = np.sqrt(np.maximum(variance, 0) + SHRINKAGE * variance.mean() + 1e-12)
    # Rounded as a head is saved, so that it says the same afterwards.
    projection = dequantize(*quantize((leading @ (axes / scale)).astype(np.float32)))
    return OodDetector(projection, (means @ projection).astype(np.float32), float("inf"))


def with_means_of(
    detector: OodDetector, embeddings: NDArray[np.float32], labels: NDArray[np.int64]
) -> OodDetector:
    """The same space and threshold, with the class means of other embeddings [n, channels]."""
    means = _class_means(l2_normalize(embeddings.astype(np.float64)), labels)
    return replace(detector, means=(means @ detector.projection).astype(np.float32))


def choose_threshold(
    scores: NDArray[np.float32], sources: Sequence[str], new: Sequence[NDArray[np.float32]] = ()
) -> float:
    """The score above which a photograph is rejected, by those of held-out known ones.

    `scores` [n], `sources` [n]; `new` has the held-out scores [any] of each class that is new. At
    most REJECTED_KNOWN of all are above it, and of every source that has enough of them, and at
    most REJECTED_NEW of a new class.
    """
    of = np.asarray(sources)
    parts = [scores[of == name] for name in np.unique(of)]
    bounds = [
        np.quantile(part, 1 - REJECTED_KNOWN)
        for part in (scores, *parts)
        if part is scores or len(part) >= ENOUGH_OF_A_SOURCE
    ]
    bounds += [np.quantile(part, 1 - REJECTED_NEW) for part in new if len(part)]
    return float(max(bounds))


def _class_means(rows: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.floating]:
    """The mean of the rows [n, channels] of each label: [classes, channels]."""
    return np.stack([rows[labels == k].mean(axis=0) for k in range(int(labels.max()) + 1)])
