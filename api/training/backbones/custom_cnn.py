"""A small plain network of our own: what an architecture has to beat to be worth its size."""

import keras
from keras import layers

STAGES = (32, 64, 128, 256, 256)


def build(size: int) -> keras.Model:
    """Build the network without its classifier and without weights.

    Input: float32 [n, size, size, 3], -1..1. Output: the feature map, float32
    [n, ceil(size/32), ceil(size/32), 256], not negative (ReLU). Each stage halves the picture in
    a 3x3 convolution; nothing is skipped, squeezed or split.
    """
    image = keras.Input((size, size, 3), name="image")
    x = image
    for index, filters in enumerate(STAGES):
        x = layers.Conv2D(filters, 3, 2, padding="same", use_bias=False, name=f"stage{index}_conv")(
            x
        )
        x = layers.BatchNormalization(name=f"stage{index}_bn")(x)
        x = layers.ReLU(name=f"stage{index}_relu")(x)
    return keras.Model(image, x, name="custom_cnn")
