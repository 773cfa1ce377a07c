"""Fitting the statistics that tell known classes from everything else."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from api.predict.head import Rejection, halved, restored, unit

DIRECTIONS = 256
SHRINKAGE = 0.1
# The share of known photographs that may be turned away, at most.
REJECTED_KNOWN = 0.01


def fit_rejection(embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> Rejection:
    """Class means and the shared spread of training embeddings [n, channels] with labels [n].

    Labels are 0 to classes - 1, each at least once. The threshold is still infinite: nothing is
    rejected until `set_threshold`. Takes the leading directions and shrinks their spread towards
    its mean, so that directions in which nothing was seen do not decide alone.
    """
    x = unit(embeddings.astype(np.float64))
    classes = int(labels.max()) + 1
    means = np.stack([x[labels == k].mean(axis=0) for k in range(classes)])
    _, _, directions = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    leading = directions[:DIRECTIONS].T
    within = (x - means[labels]) @ leading
    variance, axes = np.linalg.eigh(within.T @ within / len(x))
    scale = np.sqrt(np.maximum(variance, 0) + SHRINKAGE * variance.mean() + 1e-12)
    # Rounded as a head is saved, so that it says the same afterwards.
    projection = restored(*halved((leading @ (axes / scale)).astype(np.float32)))
    return Rejection(projection, (means @ projection).astype(np.float32), float("inf"))


def set_threshold(
    rejection: Rejection, known: NDArray[np.float32], others: NDArray[np.float32]
) -> Rejection:
    """Set the threshold on held-out embeddings of known classes, and of other things.

    Both float32 [n, channels]; `others` may be empty.
    """
    familiar, strange = rejection.distance(known), rejection.distance(others)
    return rejection.with_threshold(choose_threshold(familiar, strange))


def choose_threshold(familiar: NDArray[np.float32], strange: NDArray[np.float32]) -> float:
    """The threshold by the distances [n] of held-out known photographs, and [m] of other things.

    Takes the threshold that tells the two apart best (W. Youden, "Index for rating diagnostic
    tests", 1950), but never one that turns away more than REJECTED_KNOWN of what is familiar;
    without other things, just so many.
    """
    threshold = float(np.quantile(familiar, 1 - REJECTED_KNOWN))
    if len(strange):
        truth = np.repeat([0, 1], [len(familiar), len(strange)])
        false_alarms, hits, candidates = roc_curve(truth, np.concatenate([familiar, strange]))
        threshold = max(threshold, float(candidates[(hits - false_alarms).argmax()]))
    return threshold
