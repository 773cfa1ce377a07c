"""The hyperparameters of a training run, saved with the package."""

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
    # Views in an epoch, balanced over source and label.
    views: int = 3400
    batch_size: int = 32
    learning_rate: float = 3e-4
    # Momentum of the weight average that is kept: 0.99 averages about 100 steps.
    averaging: float = 0.99
    # Share of the pretrained weights in the final ones (weight-space interpolation), for robustness
    # to unseen sources: M. Wortsman et al., "Robust fine-tuning of zero-shot models", 2022.
    kept_share: float = 0.3
    # Layers with at most this stride stay frozen: edges and colours are the same everywhere, and
    # training takes a quarter less time.
    frozen_stride: int = 4
    warm_up_epochs: float = 0.5
    weight_decay: float = 1e-4
    dropout: float = 0.2
    head_l2: float = 1e-3

    # Share of views that are only mirrored, apart from what is drawn on the fruit.
    clean_share: float = 0.35
    # Share of the other views that get a new background, where theirs is white or paper.
    background_share: float = 0.4
    # Share of the other views that get neighbouring fruit.
    neighbour_share: float = 0.2
    # Shares of views of sound fruit that get a lesion from another fruit, or drawn decay.
    lesion_share: float = 0.12
    decay_share: float = 0.3
    # Shares of views that get a patch of sound skin, or a drawn mark; neither changes the label.
    sound_patch_share: float = 0.08
    mark_share: float = 0.12

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
