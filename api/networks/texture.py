"""What the middle of a network sees of a surface, as channels beside those of its end.

The end says what kind of thing there is in a picture; whether skin is sound or mottled is still
seen in the middle, in its channels and in how much they vary over the picture (docs/LOG.md).
"""

from typing import Any

from keras import layers, ops

# Of a channel that is the same all over the picture the spread is 0.
SMALLEST_VARIANCE = 1e-4


def beside(end: Any, middle: Any) -> Any:
    """The feature map `end` [n, h, w, a] with `middle` and its spread beside it: [n, h, w, a + 2b].

    `middle` is a feature map [n, H, W, b] from further up, where places are finer; as many of them
    as there are for one place of the end are averaged.
    """
    stride = round(middle.shape[1] / end.shape[1])
    coarse = layers.AveragePooling2D(stride, padding="same", name="coarse")
    return ops.concatenate([end, coarse(middle), coarse(spread(middle))], axis=-1)


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
