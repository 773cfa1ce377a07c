"""Two-sample statistics for drift, with thresholds from permutation tests.

The energy distance compares embeddings: a few hundred photos in 32 dimensions. It detects any
difference of two distributions, not only of their means, and has no parameters (a kernel would
need a width). G. Székely and M. Rizzo, "Energy statistics: a class of statistics based on
distances" (2013). The population stability index (PSI) compares shares of groups.
"""

import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray

# Smaller differences may be real but do not matter: the two held-out splits of the default model
# differ by 0.003, studio and phone photos by 0.21.
MIN_ENERGY_THRESHOLD = 0.03
ENERGY_PERMUTATIONS = 3000
# Bounds the memory.
_AT_ONCE = 500
# The usual limit for a significant shift (Siddiqi, as below).
MIN_PSI_THRESHOLD = 0.25
# Probability that any of the figures of one look exceeds its threshold by chance. There is one look
# a day (`drift.load_sample`), so this is also the probability per day.
LOOK_FALSE_ALARM_RATE = 1 / 1000
FIGURES = 3
# Of one figure: C. E. Bonferroni's bound (1936), whether or not the figures depend on each other.
FALSE_ALARM_RATE = LOOK_FALSE_ALARM_RATE / FIGURES
PSI_PERMUTATIONS = 60_000
_PSEUDO_COUNT = 0.5


def energy_drift(
    reference: NDArray[np.float32], sample: NDArray[np.float32]
) -> tuple[float, float]:
    """Energy coefficient of `sample` [m, d] and `reference` [n, d], and its threshold.

    The coefficient is 0 (equal) to 1 (nothing in common; also if a number is not finite, since a
    NaN would look like no drift). The threshold is MIN_ENERGY_THRESHOLD, or more if samples of
    these sizes would exceed that by chance.
    """
    pooled = np.concatenate([reference, sample])
    if not np.isfinite(pooled).all():
        return 1.0, MIN_ENERGY_THRESHOLD
    distances = _distances(pooled)
    of_sample = np.zeros(len(pooled), np.float32)
    of_sample[len(reference) :] = 1
    permuted = default_rng(0).permuted(np.tile(of_sample, (ENERGY_PERMUTATIONS, 1)), axis=1)
    value = float(_coefficients(distances, of_sample[None])[0])
    chance = np.quantile(
        np.concatenate(
            [
                _coefficients(distances, permuted[start : start + _AT_ONCE])
                for start in range(0, ENERGY_PERMUTATIONS, _AT_ONCE)
            ]
        ),
        1 - FALSE_ALARM_RATE,
    )
    return value, max(MIN_ENERGY_THRESHOLD, float(chance))


def _coefficients(
    distances: NDArray[np.float32], of_sample: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The coefficient of each split `of_sample` [splits, n]: 1 sample, 0 reference."""
    m = float(of_sample[0].sum())
    n = of_sample.shape[1] - m
    to_sample = of_sample @ distances
    within = (to_sample * of_sample).sum(axis=1, dtype=np.float64)
    across = to_sample.sum(axis=1, dtype=np.float64) - within
    within_reference = distances.sum(dtype=np.float64) - within - 2 * across
    between = 2 * across / (n * m)
    energy = between - within / m**2 - within_reference / n**2
    result: NDArray[np.float64] = np.maximum(energy, 0) / np.maximum(between, 1e-12)
    return result


def _distances(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Euclidean distances [n, n] of points [n, d]."""
    squares = np.square(points).sum(axis=1)
    squared = squares[:, None] + squares[None] - 2 * points @ points.T
    np.fill_diagonal(squared, 0)
    result: NDArray[np.float32] = np.sqrt(np.maximum(squared, 0))
    return result


def psi(reference: NDArray[np.int64], sample: NDArray[np.int64]) -> float:
    """Population stability index of counts int64 [groups]: 0 for equal shares, no upper bound.

    The sum over groups of (q - p) ln(q / p): N. Siddiqi, "Credit Risk Scorecards" (2006); also H.
    Jeffreys' divergence (1946). Half a count is added to each group to keep it finite.
    """
    return float(_psi_rows(reference[None], sample[None])[0])


def psi_threshold(reference: NDArray[np.int64], sample: NDArray[np.int64]) -> float:
    """Threshold of the PSI: the usual 0.25, or more if samples this small exceed it by chance.

    The chance level depends on both sizes (B. Yurdakul and J. Naranjo, "Statistical Properties of
    the Population Stability Index", 2020). A permutation test gives it for small and empty groups
    too.
    """
    pooled = reference + sample
    permuted = default_rng(0).multivariate_hypergeometric(
        pooled, int(sample.sum()), PSI_PERMUTATIONS, method="marginals"
    )
    chance = np.quantile(_psi_rows(pooled - permuted, permuted), 1 - FALSE_ALARM_RATE)
    return max(MIN_PSI_THRESHOLD, float(chance))


def _psi_rows(reference: NDArray[np.int64], sample: NDArray[np.int64]) -> NDArray[np.float64]:
    """The PSI of each row of int64 [n, groups]."""
    p, q = _shares(reference), _shares(sample)
    result: NDArray[np.float64] = ((q - p) * np.log(q / p)).sum(axis=1)
    return result


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    smoothed = counts + _PSEUDO_COUNT
    shares: NDArray[np.float64] = smoothed / smoothed.sum(axis=1, keepdims=True)
    return shares
