"""Population stability index: how far the shares of some groups have moved."""

import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray

# Such a shift is called significant wherever the index is used (Siddiqi, as below).
SIGNIFICANT = 0.25
# Two samples from one source go over the threshold once in so many.
FALSE_ALARMS = 1000
DRAWS = 20_000
_PSEUDO_COUNT = 0.5


def stability_index(reference: NDArray[np.int64], sample: NDArray[np.int64]) -> float:
    """The index of two tables of counts int64 [groups]: 0 for the same shares, without bound.

    The sum over groups of (q - p) ln(q / p): N. Siddiqi, "Credit Risk Scorecards" (2006), and
    before that H. Jeffreys' divergence (1946). Half a count is added to each group, so that an
    empty one does not make it infinite.
    """
    index: float = _indices(reference[None], sample[None])[0]
    return index


def stability_threshold(
    reference: NDArray[np.int64], sample: NDArray[np.int64], seed: int = 0
) -> float:
    """What the index must exceed to count as a shift.

    The usual 0.25, or more where the samples are so small that chance alone goes over it: the
    index's chance level depends on both sizes (B. Yurdakul and J. Naranjo, "Statistical Properties
    of the Population Stability Index", 2020). Here it is drawn: the photographs of both tables are
    mixed and dealt out again, which is right for small and empty groups too.
    """
    pooled = reference + sample
    random = default_rng(seed)
    dealt = random.multivariate_hypergeometric(pooled, int(sample.sum()), DRAWS, method="marginals")
    chance = np.quantile(_indices(pooled - dealt, dealt), 1 - 1 / FALSE_ALARMS)
    return max(SIGNIFICANT, float(chance))


def _indices(reference: NDArray[np.int64], sample: NDArray[np.int64]) -> NDArray[np.float64]:
    """The index of each row of int64 [n, groups]."""
    p, q = _shares(reference), _shares(sample)
    result: NDArray[np.float64] = ((q - p) * np.log(q / p)).sum(axis=1)
    return result


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    smoothed = counts + _PSEUDO_COUNT
    shares: NDArray[np.float64] = smoothed / smoothed.sum(axis=1, keepdims=True)
    return shares
