"""What the middle of a network sees of a surface, as channels beside those of its end.

The end says what kind of thing there is in a picture; whether skin is sound or mottled is still
seen in the middle, in how much its channels vary over the picture (docs/LOG.md).
"""

from collections.abc import Iterable
from typing import Any

from keras import layers, ops

# Of a channel that is the same all over the picture the spread is 0.
SMALLEST_VARIANCE = 1e-4


def beside(end: Any, middles: Iterable[Any]) -> Any:
    """The feature map `end` [n, h, w, channels] with the spread of each of `middles` beside it.

    A middle is a feature map [n, H, W, any] from further up, where places are finer; its spread is
    averaged over as many as there are for one place of the end.
    """
    maps = [end]
    for middle in middles:
        stride = round(middle.shape[1] / end.shape[1])
        maps.append(layers.AveragePooling2D(stride, padding="same")(spread(middle)))
    return ops.concatenate(maps, axis=-1)


def spread(feature_map: Any) -> Any:
    """What each place adds to the standard deviation of a channel: [n, h, w, channels] to the same.

    So the average over space is that deviation (statistics pooling: D. Snyder et al., "X-Vectors:
    Robust DNN Embeddings for Speaker Recognition", 2018), and an activation map sees where it comes
    from.
    """
    mean = ops.mean(feature_map, axis=(1, 2), keepdims=True)
    squares = ops.square(feature_map - mean)
    variance = ops.mean(squares, axis=(1, 2), keepdims=True)
    return squares * ops.rsqrt(variance + SMALLEST_VARIANCE)
