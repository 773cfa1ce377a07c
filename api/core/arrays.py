"""Array functions of the heads and of OOD detection.

All are batch-invariant: a row's result is the same to the bit whatever the other rows are, so a
grade does not depend on the batch an image happens to be in.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.errors import NotFiniteError

FloatArray = NDArray[np.float32]


def pool(feature_map: FloatArray) -> FloatArray:
    """Global average pooling: float32 [n, h, w, channels] to embeddings [n, channels]."""
    n, height, width, channels = feature_map.shape
    pooled: FloatArray = feature_map.reshape(n, height * width, channels).mean(axis=1)
    return pooled


def batch_invariant_matmul(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    """The product of float32 [n, channels] and [channels, outputs], row by row.

    The last bits of a single product would depend on the number of rows.
    """
    product: FloatArray = np.matmul(rows[:, None], matrix)[:, 0]
    return product


def l2_normalize(embeddings: FloatArray) -> FloatArray:
    """Each row of float32 [n, channels] scaled to length 1; a row of zeros stays zero."""
    length = np.linalg.norm(embeddings, axis=1, keepdims=True)
    scaled: FloatArray = embeddings / np.maximum(length, 1e-12)
    return scaled


def softmax(logits: FloatArray) -> FloatArray:
    """Row-wise softmax of float32 [n, classes]."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: FloatArray = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def logsumexp(logits: FloatArray) -> FloatArray:
    """Row-wise logarithm of the sum of exponentials: float32 [n, classes] to [n]."""
    peak = logits.max(axis=-1)
    result: FloatArray = peak + np.log(np.exp(logits - peak[..., None]).sum(axis=-1))
    return result


def sigmoid(logits: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)) of any shape, without overflow."""
    result: FloatArray = np.float32(0.5) * (np.tanh(np.float32(0.5) * logits) + np.float32(1))
    return result


def check_finite(*arrays: NDArray[np.floating[Any]]) -> None:
    """Raises NotFiniteError for NaN and infinities in floats of any shape."""
    if not all(np.isfinite(array).all() for array in arrays):
        raise NotFiniteError()
