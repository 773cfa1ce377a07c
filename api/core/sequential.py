"""A test of a share that holds however often one looks, and an interval of a share."""

from math import exp, log, sqrt
from statistics import NormalDist

import numpy as np

# Alternatives between 0 and the expected share.
_ALTERNATIVES = 200


def evidence_below(successes: int, trials: int, expected: float) -> float:
    """Evidence that a share is below `expected` (0 to 1): a likelihood ratio, averaged over
    alternatives below it.

    If the share is at least `expected`, the evidence ever reaches 1 / alpha, at whichever number of
    trials one looks, with a probability of at most alpha (J. Ville's inequality). H. Robbins,
    "Statistical Methods Related to the Law of the Iterated Logarithm" (1970); A. Ramdas et al.,
    "Game-Theoretic Statistics and Safe Anytime-Valid Inference" (2023).
    """
    if expected <= 0:
        return 0.0
    below = expected * (np.arange(_ALTERNATIVES) + 0.5) / _ALTERNATIVES
    failures = trials - successes
    # A share of 1 has no failures; a smaller one is close enough.
    expected = min(expected, 1 - 1e-9)
    logs = successes * np.log(below / expected) + failures * np.log((1 - below) / (1 - expected))
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
