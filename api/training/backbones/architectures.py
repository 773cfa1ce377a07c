"""The architectures that can be trained, by name.

A backbone maps uint8 images to a feature map. Scaling is part of the graph, so callers cannot get
it wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import layers

from api.core.errors import ProblemError
from api.training.backbones import efficientnet_lite, networks
from api.training.backbones.weights import (
    ImagenetUnavailableError,
    UnknownWeightsError,
    is_weights_file,
    load_file,
)

# Every network has a stride of 32.
SMALLEST_INPUT = 32
# Batch-norm momentum when training from scratch: with the usual 0.99, the running statistics would
# still be near their initial values after a few hundred steps.
SCRATCH_MOMENTUM = 0.9


class UnknownArchitectureError(ProblemError):
    code = "unknown-architecture"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no architecture {name!r}. Choose one of: {', '.join(TABLE)}.")


class InputTooSmallError(ProblemError):
    code = "input-too-small"

    def __init__(self, size: int) -> None:
        super().__init__(
            f"An input of {size} x {size} pixels is too small: the least is {SMALLEST_INPUT}."
        )


@dataclass(frozen=True)
class Architecture:
    """How to build a network without weights, and to load its ImageNet weights.

    `scale` maps pixels 0..255 to the network's range. `load_imagenet` is None if no weights are
    published; it may raise whatever a download raises.
    """

    build: Callable[[int], keras.Model]
    scale: Callable[[Any], Any]
    load_imagenet: Callable[[keras.Model], None] | None


def _load_lite0(network: keras.Model) -> None:
    tensors = efficientnet_lite.read_torch_tensors(efficientnet_lite.packaged_weights_file())
    efficientnet_lite.load_imagenet(network, tensors)


def _of_keras(build: Callable[..., keras.Model], scale: Callable[[Any], Any]) -> Architecture:
    def download(network: keras.Model) -> None:
        network.set_weights(build(network.input_shape[1], "imagenet").get_weights())

    return Architecture(build, scale, download)


TABLE = {
    "efficientnet_lite0": Architecture(efficientnet_lite.build, networks.scale_to_one, _load_lite0),
    "mobilenet_v2": _of_keras(networks.mobilenet_v2, networks.scale_to_one),
    "efficientnet_b0": _of_keras(networks.efficientnet_b0, networks.scale_for_efficientnet),
    "resnet50": _of_keras(networks.resnet50, networks.scale_for_resnet),
    "custom_cnn": Architecture(networks.custom_cnn, networks.scale_to_one, None),
}


def find(name: str) -> Architecture:
    """Raises UnknownArchitectureError."""
    if name not in TABLE:
        raise UnknownArchitectureError(name)
    return TABLE[name]


def build_network(name: str, size: int, weights: str) -> keras.Model:
    """Build a network without its scaling: float32 [n, size, size, 3] to feature map.

    `weights` may be a file that its `save_weights` wrote. Raises what `build_backbone` raises.
    """
    architecture = find(name)
    if size < SMALLEST_INPUT:
        raise InputTooSmallError(size)
    load_imagenet = architecture.load_imagenet
    known = weights == "none" or is_weights_file(weights)
    if not known and (weights != "imagenet" or load_imagenet is None):
        raise UnknownWeightsError(name, weights, load_imagenet is not None)
    network = architecture.build(size)
    if weights == "imagenet" and load_imagenet is not None:
        try:
            load_imagenet(network)
        except Exception as error:  # Keras raises a bare Exception if a download fails.
            raise ImagenetUnavailableError(name, error) from error
    elif weights != "none":
        load_file(network, name, Path(weights))
    return network


def build_backbone(name: str, size: int, weights: str) -> keras.Model:
    """Build the backbone: uint8 [n, size, size, 3] to feature map float32 [n, h, w, channels].

    `weights` is "imagenet", "none" or the path of a `.weights.h5` file. Batch-norm layers with
    pretrained weights are frozen: their statistics are better than those of small batches. Raises
    UnknownArchitectureError, InputTooSmallError, UnknownWeightsError, ImagenetUnavailableError or
    BadWeightsFileError.
    """
    network = build_network(name, size, weights)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            if weights == "none":
                layer.momentum = SCRATCH_MOMENTUM
            else:
                layer.trainable = False
    image = keras.Input((size, size, 3), dtype="uint8", name="image")
    return keras.Model(image, network(find(name).scale(image)), name="backbone")
