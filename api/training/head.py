"""Fitting the linear head on embeddings: seconds, and no TensorFlow."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from api.predict.head import Linear


def fit_head(
    embeddings: NDArray[np.float32],
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    l2: float,
    around: Linear | None = None,
) -> Linear:
    """Multinomial logistic regression with soft targets, by L-BFGS.

    `embeddings` [n, channels], `targets` [n, classes] of rows that sum to 1, `weights` [n], `l2`
    the penalty on standardised features: on how far they are from those of `around`, else from
    zero. Returns channels to classes, for the embeddings as they are.
    """
    x = embeddings.astype(np.float64)
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    x = (x - mean) / scale
    share = (weights / weights.sum()).astype(np.float64)[:, None]
    channels, classes = x.shape[1], targets.shape[1]
    start: NDArray[np.float64] = np.zeros((channels + 1, classes))
    if around is not None:
        start[:-1] = around.weights * scale[:, None]
        start[-1] = around.bias + mean @ around.weights

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        matrix = flat.reshape(channels + 1, classes)
        log_p = log_softmax(x @ matrix[:-1] + matrix[-1], axis=1)
        error = share * (np.exp(log_p) - targets)
        away = matrix[:-1] - start[:-1]
        gradient = np.vstack([x.T @ error + l2 * away, error.sum(axis=0)])
        value = -(share * targets * log_p).sum() + l2 / 2 * (away**2).sum()
        return float(value), gradient.ravel()

    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    matrix = found.x.reshape(channels + 1, classes)
    slopes = matrix[:-1] / scale[:, None]
    bias = matrix[-1] - mean @ slopes
    return Linear(slopes.astype(np.float32), bias.astype(np.float32))


def balance(targets: NDArray[np.float32], counted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weights float32 [n] that give every class of `targets` [n, classes] the same say.

    A class counts for as many photographs as it has among the rows `counted` [n], where any are.
    """
    counts = targets[counted].sum(axis=0) if counted.any() else targets.sum(axis=0)
    of_class = counts.sum() / np.maximum(counts, 1) / len(counts)
    # Not by `@`: some BLAS kernels raise floating-point flags of lanes that they do not use.
    weights: NDArray[np.float32] = (targets * of_class).sum(axis=1, dtype=np.float32)
    return weights
