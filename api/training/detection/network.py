"""The detector's network: the first blocks of EfficientNet-Lite0, and a head without anchors."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from api.model import detector
from api.training.backbones.architectures import build_network, find
from api.training.detection import targets
from api.training.detection.recipe import DetectorRecipe

# The last layers of strides 8 and 16, and one of stride 32.
LAYERS = ("block4_add", "block10_add", "block12_add")
STRIDE = 8
# Focal loss: exponents of how wrong a cell is, and of how near to a centre it is.
WRONG_POWER, NEAR_POWER = 2.0, 4.0
BOX_WEIGHT, KIND_WEIGHT = 3.0, 1.0
FIRST_SCORE, FIRST_DISTANCE = 0.02, 0.15


def build_detector(recipe: DetectorRecipe, fruits: int) -> keras.Model:
    """uint8 [n, size, size, 3] to float32 [n, size / 8, size / 8, 5 + fruits], the channels as in
    `api.model.detector`. Raises what `build_network` raises."""
    size = recipe.input_size
    network = build_network(recipe.architecture, size, recipe.weights)
    if recipe.weights != "none":
        freeze(network, recipe)
    image = keras.Input((size, size, 3), dtype="uint8", name="image")
    maps = keras.Model(network.input, [network.get_layer(name).output for name in LAYERS])(
        find(recipe.architecture).scale(image)
    )
    # A feature pyramid: T.-Y. Lin et al., 2017.
    x = _conv(maps[-1], recipe.width, 1)
    for finer in maps[-2::-1]:
        x = layers.UpSampling2D(2, interpolation="bilinear")(layers.ReLU(6.0)(x))
        x = layers.Add()([x, _conv(finer, recipe.width, 1)])
    for _ in range(recipe.depth):
        x = _conv(layers.ReLU(6.0)(x), recipe.width, 3)
    x = layers.ReLU(6.0)(x)
    grid = layers.Conv2D(detector.KINDS.start + fruits, 1, name="grid")
    output = grid(x)
    kernel, bias = grid.get_weights()
    bias[detector.CENTRE] = np.log(FIRST_SCORE / (1 - FIRST_SCORE))
    bias[detector.DISTANCES] = np.log(FIRST_DISTANCE)
    grid.set_weights([kernel * 0.3, bias])
    return keras.Model(image, output, name="detector")


def freeze(backbone: keras.Model, recipe: DetectorRecipe) -> None:
    """Freeze the backbone's layers of high resolution, and all its normalisations."""
    for layer in backbone.layers:
        shape = layer.output.shape
        early = len(shape) == 4 and shape[1] * recipe.frozen_stride >= recipe.input_size
        if early or isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def _conv(x: Any, filters: int, kernel: int) -> Any:
    x = layers.Conv2D(filters, kernel, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.95)(x)


def detection_loss(target: Any, grid: Any) -> Any:
    """Loss of grids [n, h, w, 5 + fruits] against targets [n, h, w, CHANNELS], per fruit.

    Focal loss for centres (Zhou et al., 2019), generalised IoU for boxes (H. Rezatofighi et al.,
    2019) and cross-entropy for the kind.
    """
    heat, care = target[..., targets.HEAT], target[..., targets.CARE]
    inside = target[..., targets.INSIDE]
    count = ops.maximum(ops.sum(inside), 1.0)

    logit = grid[..., detector.CENTRE]
    probability = ops.clip(ops.sigmoid(logit), 1e-4, 1 - 1e-4)
    is_centre = ops.cast(heat >= 1 - 1e-6, "float32")
    found = is_centre * (1 - probability) ** WRONG_POWER * ops.log(probability)
    away = (1 - is_centre) * care * (1 - heat) ** NEAR_POWER
    silent = away * probability**WRONG_POWER * ops.log(1 - probability)
    centre_loss = -ops.sum(found + silent) / count

    distances = ops.exp(ops.minimum(grid[..., detector.DISTANCES], detector.MAX_LOG_DISTANCE))
    overlap = _generalised_iou(distances, target[..., targets.DISTANCES])
    box_loss = ops.sum(inside * (1 - overlap)) / count

    kind = ops.cast(target[..., targets.KIND], "int32")
    has_kind = ops.cast(kind != targets.UNKNOWN, "float32")
    entropy = keras.losses.sparse_categorical_crossentropy(
        ops.maximum(kind, 0), grid[..., detector.KINDS], from_logits=True
    )
    kind_loss = ops.sum(inside * has_kind * entropy) / count
    return centre_loss + BOX_WEIGHT * box_loss + KIND_WEIGHT * kind_loss


def _generalised_iou(distances: Any, true: Any) -> Any:
    """The generalised IoU of two boxes around one point, from the distances to their edges
    [..., 4]."""
    true = ops.maximum(true, 1e-4)
    low, high = ops.minimum(distances, true), ops.maximum(distances, true)
    shared = _area(low)
    union = _area(distances) + _area(true) - shared
    hull = _area(high)
    return shared / union - (hull - union) / hull


def _area(distances: Any) -> Any:
    width = distances[..., 0] + distances[..., 2]
    return width * (distances[..., 1] + distances[..., 3])
