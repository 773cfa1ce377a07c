"""Tests of a share that stay valid however often one looks, and intervals of a share."""

from math import exp, log, log1p, sqrt
from statistics import NormalDist

import numpy as np

# Number of alternatives that are tried, between the expected share and the end of the range.
_ALTERNATIVES = 200
# Alternatives above a share reach up to this multiple of it. A wider range takes a third longer to
# find a share of twice the expected one.
_TIMES_ABOVE = 4
# Expected shares closer than this to 0 or 1 count as 0 or 1.
_CLOSEST = 1e-9
# Limit of the steps of Newton's method (it takes about eight), and its relative precision.
_STEPS, _CLOSE = 50, 1e-12


def evidence_below(successes: float, trials: float, expected: float) -> float:
    """Evidence that a share is below `expected` (0 to 1): a likelihood ratio, averaged over
    alternatives below it.

    If the share is at least `expected`, the probability that the evidence ever reaches 1 / alpha,
    however often one looks, is at most alpha (J. Ville's inequality). H. Robbins, "Statistical
    Methods Related to the Law of the Iterated Logarithm" (1970); A. Ramdas et al., "Game-Theoretic
    Statistics and Safe Anytime-Valid Inference" (2023).
    """
    return _evidence(successes, trials, expected, 0.0) if expected > _CLOSEST else 0.0


def evidence_above(successes: float, trials: float, expected: float) -> float:
    """As `evidence_below`, for a share above `expected`; 0 if that is practically 0 or 1."""
    if not _CLOSEST < expected < 1 - _CLOSEST:
        return 0.0
    return _evidence(successes, trials, expected, min(1.0, _TIMES_ABOVE * expected))


def _evidence(successes: float, trials: float, expected: float, end: float) -> float:
    """The average over alternatives evenly between `expected` and `end`."""
    steps = (np.arange(_ALTERNATIVES) + 0.5) / _ALTERNATIVES
    others = end + (expected - end) * steps
    failures = trials - successes
    # An expected share of exactly 1 would divide by zero; this is close enough.
    expected = min(expected, 1 - _CLOSEST)
    logs = successes * np.log(others / expected) + failures * np.log((1 - others) / (1 - expected))
    highest = float(logs.max())
    average = log(float(np.exp(logs - highest).mean())) + highest
    return exp(min(average, 700.0))


def share_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share: E. B. Wilson's (1927). (0, 1) without trials."""
    if not trials:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.975)
    share, squared = successes / trials, z * z
    middle = share + squared / (2 * trials)
    reach = z * sqrt(share * (1 - share) / trials + squared / (4 * trials * trials))
    whole = 1 + squared / trials
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


def exact_interval(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """The interval that covers a share with a probability of at least `confidence`, for a single
    look: C. J. Clopper's and E. S. Pearson's (1934). (0, 1) without trials.
    """
    half, failures = (1 - confidence) / 2, trials - successes
    low = _share_reaching(successes, trials, half) if successes else 0.0
    high = 1 - _share_reaching(failures, trials, half) if failures else 1.0
    return low, high


def _share_reaching(successes: int, trials: int, chance: float) -> float:
    """The share at which the probability of `successes` (at least 1) or more is `chance`.

    By Newton's method: the logarithm of that probability is a concave function of the logarithm of
    the share, so it always converges. SciPy has this function, but is as large as all of NumPy.
    """
    counts = np.arange(1, trials + 1)
    ways = np.cumsum(np.log((trials - counts + 1) / counts))[successes - 1 :]
    counts = counts[successes - 1 :]
    log_share = log(successes / (trials + 1))
    for _ in range(_STEPS):
        logs = ways + counts * log_share + (trials - counts) * log1p(-exp(log_share))
        highest = float(logs.max())
        parts = np.exp(logs - highest)
        total = float(parts.sum())
        step = (highest + log(total / chance)) * total / (successes * float(parts[0]))
        log_share -= step
        if abs(step) < _CLOSE:
            break
    return exp(log_share)
