"""How much each photograph counts: source and label go together, so both are balanced.

A set is mostly one source of each label, and a network that is left to it learns the source.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Between 0, where every group of photographs counts the same, and 1, where every photograph does.
POWER = 0.8


def balanced_weights(
    sources: Sequence[str], labels: Sequence[str], kinds: Sequence[str]
) -> NDArray[np.float32]:
    """Weight of each row, float32 [n], mean 1.

    The n rows of one (source, label) group share n ** POWER, and then every kind has the same say.
    `sources` [n], `labels` [n] and `kinds` [n]: the fruit, "" for what is none of the fruits, which
    all together has as much say as one fruit. Raises ValueError for lengths that differ.
    """
    rows = list(zip(sources, labels, strict=True))
    group, size = _numbered(rows)
    kind, _ = _numbered([(name,) for name in kinds])
    if len(kind) != len(group):
        raise ValueError(f"{len(kind)} kinds for {len(group)} rows")
    weights = size[group] ** (POWER - 1)
    weights /= np.bincount(kind, weights)[kind]
    return np.asarray(weights * (len(weights) / max(weights.sum(), 1e-12)), np.float32)


def epoch_order(
    weights: NDArray[np.floating], views: int, seed: int, epoch: int
) -> NDArray[np.int64]:
    """Which rows an epoch shows, and in which order: int64 [views].

    `weights` [n] of 0 or more, not all 0. A row that is due x times, in proportion to its weight,
    is shown floor(x) or ceil(x) times: systematic sampling on a shuffled order.
    """
    rng = np.random.default_rng((seed, epoch))
    order = rng.permutation(len(weights))
    due = np.cumsum(weights[order], dtype=np.float64)
    # To the last view exactly, whatever the rounding.
    ends = np.append(np.minimum(due[:-1] * (views / due[-1]), views), views)
    times = np.diff(np.floor(ends + rng.random()), prepend=0).astype(np.int64)
    return rng.permutation(np.repeat(order, times))


def _numbered(
    names: Sequence[tuple[str, ...]],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The number of each name among the different ones, int64 [n], and how often each occurs."""
    of_name = {name: number for number, name in enumerate(dict.fromkeys(names))}
    numbers = np.array([of_name[name] for name in names], np.int64)
    return numbers, np.bincount(numbers, minlength=len(of_name)).astype(np.float64)
