"""Fitting the heads on embeddings: seconds, and no TensorFlow."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from api.core.heads import Linear, class_parts


def fit_head(
    embeddings: NDArray[np.float32],
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    l2: float,
    start: Linear | None = None,
) -> Linear:
    """Multinomial logistic regression with soft targets, by L-BFGS.

    `embeddings` [n, channels], `targets` [n, outputs] of rows that sum to 1, `weights` [n], `l2`
    the penalty on standardised features. A `start` near the solution saves time and nothing else.
    Returns channels to outputs, for the embeddings as they are.
    """
    x = embeddings.astype(np.float64)
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    x = (x - mean) / scale
    share = (weights / weights.sum()).astype(np.float64)[:, None]
    channels, outputs = x.shape[1], targets.shape[1]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        matrix = flat.reshape(channels + 1, outputs)
        log_p = log_softmax(x @ matrix[:-1] + matrix[-1], axis=1)
        error = share * (np.exp(log_p) - targets)
        gradient = np.vstack([x.T @ error + l2 * matrix[:-1], error.sum(axis=0)])
        value = -(share * targets * log_p).sum() + l2 / 2 * (matrix[:-1] ** 2).sum()
        return float(value), gradient.ravel()

    first = np.zeros((channels + 1, outputs))
    if start is not None:
        first[:-1] = start.weights * scale[:, None]
        first[-1] = start.bias + mean @ start.weights
    found = minimize(loss, first.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    matrix = found.x.reshape(channels + 1, outputs)
    slopes = matrix[:-1] / scale[:, None]
    bias = matrix[-1] - mean @ slopes
    return Linear(slopes.astype(np.float32), bias.astype(np.float32))


def fit_freshness(
    embeddings: NDArray[np.float32],
    freshness: NDArray[np.float32],
    weights: NDArray[np.float32],
    l2: float,
) -> Linear | None:
    """One output, the logit of "not rotten", whichever fruit it is.

    `embeddings` [n, channels]; `freshness` [n] is 1 for not rotten, 0 for rotten and NaN where it
    is not known; `weights` [n]. Both levels have the same say. None where only one is there.
    """
    known = ~np.isnan(freshness)
    edible = freshness[known] > 0.5
    if edible.all() or not edible.any():
        return None
    share = weights[known].astype(np.float64)
    for level in (edible, ~edible):
        share[level] /= share[level].sum()
    two = fit_head(
        embeddings[known],
        np.stack([~edible, edible], axis=1).astype(np.float32),
        share.astype(np.float32),
        l2,
    )
    return Linear(two.weights[:, 1:] - two.weights[:, :1], two.bias[1:] - two.bias[:1])


def kind_targets(targets: NDArray[np.float32], kind_of: NDArray[np.int64]) -> NDArray[np.float32]:
    """Targets over kinds: float32 [n, kinds], with "none of them" as one more column where needed.

    `targets` [n, classes] has a row of zeros for what is none of the classes; `kind_of` [classes].
    """
    kinds = int(kind_of.max()) + 1
    found = np.zeros((len(targets), kinds), np.float32)
    for column, kind in enumerate(kind_of):
        found[:, kind] += targets[:, column]
    none = found.sum(axis=1) < 0.5
    return (
        np.concatenate([found, none[:, None].astype(np.float32)], axis=1) if none.any() else found
    )


def parts_of(classes: Sequence[str], graded: bool) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The kind of each class and its share of the levels, as `Head` has them.

    Where freshness cannot be learned (not `graded`: nothing rotten, or nothing else), each class is
    a kind of its own.
    """
    _, kind_of, parts = class_parts(classes)
    return (kind_of, parts) if graded else (np.arange(len(classes)), np.ones_like(parts))


def freshness_of(values: Sequence[float | None]) -> NDArray[np.float32]:
    """Freshness float32 [n], NaN where it is not known."""
    return np.array([np.nan if value is None else value for value in values], np.float32)
