"""Fitting the out-of-distribution detector."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from api.core.arrays import l2_normalize
from api.core.ood import OodDetector, dequantize, quantize

DIRECTIONS = 256
SHRINKAGE = 0.1
# The share of in-distribution photos that may be rejected: overall and of every source.
REJECTED_KNOWN = 0.02
# Smaller sources cannot resolve so small a share.
MIN_SOURCE_SIZE = 25
# New classes have too few photos for REJECTED_KNOWN.
REJECTED_NEW = 0.05


def fit_ood(embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> OodDetector:
    """Class means and shared covariance of embeddings [n, channels]; the threshold is infinite.

    `labels` [n] are 0 to classes - 1, each at least once. Keeps the leading principal directions
    and shrinks the variances towards their mean, so that directions without variance in training
    do not dominate.
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
    # Rounded as it will be saved, so that a loaded head gives the same scores.
    projection = dequantize(*quantize((leading @ (axes / scale)).astype(np.float32)))
    return OodDetector(projection, (means @ projection).astype(np.float32), float("inf"))


def with_class_means(
    detector: OodDetector, embeddings: NDArray[np.float32], labels: NDArray[np.int64]
) -> OodDetector:
    """The same projection and threshold, with the class means of embeddings [n, channels]."""
    means = _class_means(l2_normalize(embeddings.astype(np.float64)), labels)
    return replace(detector, means=(means @ detector.projection).astype(np.float32))


def choose_threshold(
    scores: NDArray[np.float32],
    sources: Sequence[str],
    new_class_scores: Sequence[NDArray[np.float32]] = (),
) -> float:
    """The score above which a photo is rejected, from held-out in-distribution photos.

    `scores` [n], `sources` [n]; `new_class_scores` are the scores [any] of each new class. At most
    REJECTED_KNOWN of all photos and of every large enough source are above the threshold, and at
    most REJECTED_NEW of every new class.
    """
    source = np.asarray(sources)
    by_source = [scores[source == name] for name in np.unique(source)]
    large_enough = [part for part in by_source if len(part) >= MIN_SOURCE_SIZE]
    bounds = [np.quantile(part, 1 - REJECTED_KNOWN) for part in (scores, *large_enough)]
    bounds += [np.quantile(part, 1 - REJECTED_NEW) for part in new_class_scores if len(part)]
    return float(max(bounds))


def _class_means(rows: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.floating]:
    """The mean of rows [n, channels] by label: [classes, channels]."""
    return np.stack([rows[labels == k].mean(axis=0) for k in range(int(labels.max()) + 1)])
