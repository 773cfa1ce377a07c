"""Sampling weights balanced over (source, label) and over fruits.

Most datasets have one source for each label, and an unbalanced network learns the source.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# 0 gives every (source, label) group the same weight, 1 every photo.
POWER = 0.8


def balanced_weights(
    sources: Sequence[str], labels: Sequence[str], kinds: Sequence[str]
) -> NDArray[np.float32]:
    """Weight of each row, float32 [n], mean 1.

    A (source, label) group of n rows gets n ** POWER in total; then every kind gets the same total.
    `kinds` [n] are fruits, "" for out-of-distribution rows, which together count as one fruit.
    Raises ValueError for lengths that differ.
    """
    groups = [(source, label) for source, label, _ in zip(sources, labels, kinds, strict=True)]
    size = Counter(groups)
    weights = np.array([size[group] for group in groups], np.float64) ** (POWER - 1)
    _, kind = np.unique(np.asarray(kinds, np.str_), return_inverse=True)
    weights /= np.bincount(kind, weights)[kind]
    return np.asarray(weights * (len(weights) / max(weights.sum(), 1e-12)), np.float32)


def epoch_order(
    weights: NDArray[np.floating], views: int, seed: int, epoch: int
) -> NDArray[np.int64]:
    """The rows to show in an epoch, in order: int64 [views].

    `weights` [n] are 0 or more, not all 0. A row whose expected count is x appears floor(x) or
    ceil(x) times: systematic sampling over a shuffled order.
    """
    rng = np.random.default_rng((seed, epoch))
    order = rng.permutation(len(weights))
    cumulative = np.cumsum(weights[order], dtype=np.float64)
    # Exactly `views` at the end, whatever the rounding.
    scaled = cumulative[:-1] * (views / cumulative[-1])
    ends = np.append(np.minimum(scaled, views), views)
    counts = np.diff(np.floor(ends + rng.random()), prepend=0).astype(np.int64)
    return rng.permutation(np.repeat(order, counts))
