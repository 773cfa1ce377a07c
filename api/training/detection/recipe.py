"""The hyperparameters of a detector, saved with it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class DetectorRecipe:
    """How a detector is trained. The defaults made the one under `models/default`."""

    architecture: str = "efficientnet_lite0"
    weights: str = "imagenet"
    # A multiple of 16.
    input_size: int = 256
    # Channels of the head.
    width: int = 64
    seed: int = 20261128

    steps: int = 900
    batch_size: int = 16
    learning_rate: float = 1e-3
    warm_up_steps: int = 50
    weight_decay: float = 1e-4
    averaging: float = 0.99
    # Layers with at most this stride stay as ImageNet left them.
    frozen_stride: int = 4

    # Shares of the scenes: composed ones, photos of several fruits with boxes, one fruit as it is,
    # and photos without fruit.
    composed_share: float = 0.55
    boxed_share: float = 0.25
    single_share: float = 0.12
    # Of two boxes that overlap by more, the better is kept.
    max_overlap: float = 0.5

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
