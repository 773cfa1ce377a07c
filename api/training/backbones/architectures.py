"""The networks that can be trained, in one table of names.

Each entry builds a network without classifier: uint8 photographs in, a feature map out, with the
preprocessing inside, so that nothing outside the graph can get it wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import layers

from api.core.errors import ProblemError
from api.training.backbones import custom_cnn, efficientnet_lite, keras_networks
from api.training.backbones.weights import (
    ImagenetUnavailableError,
    UnknownWeightsError,
    is_weights_file,
    load_file,
)

# Every network halves the picture five times.
SMALLEST_INPUT = 32
# How much of the old a batch-norm's running statistics keep at each step where they are learned
# here: the customary 0.99 and more would still be near their start after a few hundred steps.
MOMENTUM = 0.9


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
    """How to build one network, without weights, and to fill it with its ImageNet weights.

    `scale` is what the network expects before it: it takes pixels 0..255 to the range that the
    network was trained on. `load_imagenet` is None where nobody has published weights; it may
    raise whatever a download raises.
    """

    build: Callable[[int], keras.Model]
    scale: Callable[[Any], Any]
    load_imagenet: Callable[[keras.Model], None] | None


def _load_lite0(network: keras.Model) -> None:
    tensors = efficientnet_lite.read_torch_tensors(efficientnet_lite.packaged_weights_file())
    efficientnet_lite.load_imagenet(network, tensors)


def _download(build: Callable[[int, str], keras.Model]) -> Callable[[keras.Model], None]:
    def load(network: keras.Model) -> None:
        published = build(network.input_shape[1], "imagenet")
        network.set_weights(published.get_weights())

    return load


def _of_keras(build: Callable[..., keras.Model], scale: Callable[[Any], Any]) -> Architecture:
    return Architecture(build, scale, _download(build))


TABLE = {
    "efficientnet_lite0": Architecture(
        efficientnet_lite.build, keras_networks.scale_to_one, _load_lite0
    ),
    "mobilenet_v2": _of_keras(keras_networks.mobilenet_v2, keras_networks.scale_to_one),
    "efficientnet_b0": _of_keras(
        keras_networks.efficientnet_b0, keras_networks.scale_for_efficientnet
    ),
    "resnet50": _of_keras(keras_networks.resnet50, keras_networks.scale_for_resnet),
    "custom_cnn": Architecture(custom_cnn.build, keras_networks.scale_to_one, None),
}


def find(name: str) -> Architecture:
    """The entry of `name`. Raises UnknownArchitectureError."""
    if name not in TABLE:
        raise UnknownArchitectureError(name)
    return TABLE[name]


def build_network(name: str, size: int, weights: str) -> keras.Model:
    """Build a network as it stands behind its scaling: float32 [n, size, size, 3] to feature map.

    Its `save_weights` writes files that `weights` may name. Raises what `build_backbone` raises.
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
        except Exception as error:  # Keras raises a bare Exception where a download fails.
            raise ImagenetUnavailableError(name, error) from error
    elif weights != "none":
        load_file(network, name, Path(weights))
    return network


def build_backbone(name: str, size: int, weights: str) -> keras.Model:
    """Build the backbone: uint8 [n, size, size, 3] to feature map float32 [n, h, w, channels].

    `weights` is "imagenet", "none" or the path of a `.weights.h5` file. Where there are weights,
    batch-norm layers are frozen: with batches as small as a laptop's, their statistics are the
    better ones. Raises UnknownArchitectureError, InputTooSmallError, UnknownWeightsError,
    ImagenetUnavailableError or BadWeightsFileError.
    """
    network = build_network(name, size, weights)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            if weights == "none":
                layer.momentum = MOMENTUM
            else:
                layer.trainable = False
    image = keras.Input((size, size, 3), dtype="uint8", name="image")
    return keras.Model(image, network(find(name).scale(image)), name="backbone")
