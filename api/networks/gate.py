"""A backbone that says how much a picture looks like the class folders, and looks accordingly.

A studio photograph shows one fruit. On a kitchen table others lie around the one that is meant, and
one in forty such photographs was graded as its neighbour (docs/LOG.md): there the middle counts
more than the corners.
"""

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from api.predict.head import Linear


def gated(backbone: keras.Model, gate: Linear) -> keras.Model:
    """A backbone of `architectures.with_texture` with the opening of `gate` as its last channel.

    uint8 [n, size, size, 3] to float32 [n, h, w, channels + 1]. `gate` takes textures, the last
    channels of an embedding, to two logits: that a picture is not like those of the class folders,
    and that it is. The opening, 0..1, is the probability of the latter, the same at every place. As
    far as the gate is closed, the average over space of the channels before the texture favours the
    middle.
    """
    seen = backbone.output
    _, height, width, channels = seen.shape
    end, texture = ops.split(seen, [channels - len(gate.weights)], axis=-1)
    # By steps that keep all four axes: the exported graph then takes several pictures in one pass.
    pooled = ops.mean(texture, axis=(1, 2), keepdims=True)
    weights = (gate.weights[:, 1:] - gate.weights[:, :1])[None, None]
    opening = ops.sigmoid(ops.conv(pooled, weights) + (gate.bias[1:] - gate.bias[:1]))
    favour = counts(height, width)[None, ..., None]
    end = end * (opening * (1 - favour) + favour)
    everywhere = opening * ops.ones((1, height, width, 1))
    return keras.Model(
        backbone.input, ops.concatenate([end, texture, everywhere], axis=-1), name="backbone"
    )


def counts(height: int, width: int) -> NDArray[np.float32]:
    """How much each place counts where the middle is favoured: float32 [height, width], mean 1.

    It falls as exp(-d * d), where d is 0 in the middle of the picture and 1 in that of an edge.
    """
    down, across = (2 * (np.arange(size) + 0.5) / size - 1 for size in (height, width))
    falling = np.exp(-np.square(down)[:, None] - np.square(across)[None])
    found: NDArray[np.float32] = (falling / falling.mean()).astype(np.float32)
    return found
