"""Every knob of a training run, in one frozen value that is saved in the package."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """How a grader is trained. The defaults made the package under `models/default`."""

    architecture: str = "efficientnet_lite0"
    weights: str = "imagenet"
    input_size: int = 160
    seed: int = 20261128

    epochs: int = 12
    # An epoch shows so many views, balanced over source and label.
    views: int = 2600
    batch_size: int = 32
    learning_rate: float = 3e-4
    # The weights that are kept are a running average over the last steps: 0.99 is about 100.
    averaging: float = 0.99
    # How far they then go back towards the weights before training: what ImageNet taught holds for
    # sources that nobody has seen (M. Wortsman et al., "Robust fine-tuning of zero-shot models",
    # 2022).
    kept_share: float = 0.3
    # Layers that see the picture at most so many times smaller stay as ImageNet left them: edges
    # and colours are the same everywhere, and training takes a quarter less time.
    frozen_stride: int = 4
    warm_up_epochs: float = 0.5
    weight_decay: float = 1e-4
    dropout: float = 0.2
    head_l2: float = 1e-3

    # Share of the views that are left as they are, so that the network also sees clean ones.
    clean_share: float = 0.35
    # Share of the others whose background is replaced, where it is white or paper.
    background_share: float = 0.4
    # Share of the others that get other fruit around theirs.
    neighbour_share: float = 0.2
    # Share of the views of sound fruit that get a patch of rot, and of all that get a sound one.
    lesion_share: float = 0.12
    sound_patch_share: float = 0.08

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
