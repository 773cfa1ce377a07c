"""The hyperparameters of a detector, saved with it."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class DetectorRecipe:
    """How a detector is trained. The defaults made the one under `models/default`."""

    architecture: str = "efficientnet_lite0"
    weights: str = "imagenet"
    # A multiple of 32.
    input_size: int = 224
    # Channels of the head.
    width: int = 64
    depth: int = 2
    seed: int = 20261128

    steps: int = 4000
    batch_size: int = 8
    learning_rate: float = 1e-3
    warm_up_steps: int = 50
    weight_decay: float = 1e-4
    averaging: float = 0.99
    # Layers with at most this stride keep their ImageNet weights.
    frozen_stride: int = 8

    # A detector that is trained further starts from its weights, and takes fewer and smaller steps.
    tuning_steps: int = 400
    tuning_rate: float = 2e-4

    # Shares of the scenes: composed ones, photos of several fruits with boxes, photos of one fruit.
    # The rest are photos without fruit.
    composed_share: float = 0.45
    boxed_share: float = 0.3
    single_share: float = 0.17
    # Of two boxes that overlap by more, the better is kept.
    max_overlap: float = 0.5
    # Scenes from which the grader learns to tell several fruits from one.
    several_scenes: int = 6000

    @property
    def for_tuning(self) -> "DetectorRecipe":
        return replace(self, steps=self.tuning_steps, learning_rate=self.tuning_rate)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "DetectorRecipe":
        """From a manifest; values that this version does not know are ignored."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
