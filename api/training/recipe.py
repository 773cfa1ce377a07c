"""Every knob of a training run, in one frozen value that is saved in the package."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """How a grader is trained. The defaults made the package under `models/default`."""

    architecture: str = "efficientnet_lite0"
    weights: str = "imagenet"
    input_size: int = 160
    seed: int = 20261121

    epochs: int = 20
    patience: int = 8
    batch_size: int = 32
    learning_rate: float = 3e-4
    # The weights that are kept are a running average over the last steps: 0.99 is about 100.
    averaging: float = 0.99
    warm_up_epochs: float = 0.5
    weight_decay: float = 1e-4
    dropout: float = 0.2
    head_l2: float = 1e-3
    # Whether an expert grades by texture what looks like the class folders: where the architecture
    # has a texture, and boxed photographs show what else there is.
    expert: bool = True

    # Share of the training photographs that are left as they are, so that the network also sees
    # clean ones.
    clean_share: float = 0.4
    # Share of studio photographs whose white background is replaced.
    background_share: float = 0.35
    # Share of photographs that get other fruit around theirs.
    neighbour_share: float = 0.2
    # How much of a fruit that is past its best but good to eat counts as fresh.
    normal_freshness: float = 0.9
    # Weight of one boxed phone photograph against one of a class folder.
    boxed_weight: float = 1.0
    # Share of the boxed photographs that an epoch takes: frames of a run are much alike.
    boxed_share: float = 0.4

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
