"""The networks that can be trained, in one table of names.

Each entry builds a network without classifier: uint8 photographs in, a feature map out, with the
preprocessing inside, so that nothing outside the graph can get it wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import layers

from api.errors import ProblemError
from api.training import efficientnet_lite


class UnknownArchitectureError(ProblemError):
    code = "unknown-architecture"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no architecture {name!r}. Choose one of: {', '.join(TABLE)}.")


class UnknownWeightsError(ProblemError):
    code = "unknown-weights"

    def __init__(self, name: str) -> None:
        super().__init__(f"There are no weights {name!r}. Choose imagenet or none.")


@dataclass(frozen=True)
class Architecture:
    """How to build one network and fill it with its ImageNet weights.

    `scale` and `offset` take pixels 0..255 to the range that the network was trained on.
    """

    build: Callable[[int], keras.Model]
    load_imagenet: Callable[[keras.Model], None]
    scale: float
    offset: float


def _load_lite0(model: keras.Model) -> None:
    tensors = efficientnet_lite.read_torch_tensors(efficientnet_lite.packaged_weights_file())
    efficientnet_lite.load_imagenet(model, tensors)


TABLE = {
    "efficientnet_lite0": Architecture(
        efficientnet_lite.build, _load_lite0, scale=1 / 127.5, offset=-1.0
    ),
}


def build_backbone(name: str, size: int, weights: str) -> keras.Model:
    """Build the backbone: uint8 [n, size, size, 3] to feature map float32 [n, h, w, channels].

    `weights` is "imagenet" or "none". Its batch-norm layers are frozen: with batches as small as a
    laptop's, ImageNet's statistics are the better ones. Raises UnknownArchitectureError or
    UnknownWeightsError.
    """
    if name not in TABLE:
        raise UnknownArchitectureError(name)
    if weights not in ("imagenet", "none"):
        raise UnknownWeightsError(weights)
    architecture = TABLE[name]
    network = architecture.build(size)
    if weights == "imagenet":
        architecture.load_imagenet(network)
        for layer in network.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = False
    image = keras.Input((size, size, 3), dtype="uint8", name="image")
    scaled = layers.Rescaling(architecture.scale, offset=architecture.offset, name="scale")(image)
    return keras.Model(image, network(scaled), name="backbone")
