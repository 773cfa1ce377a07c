"""Grades: of one fruit, of a photo, and of each fruit of a photo."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.boxes import Box
from api.core.freshness_levels import LevelThresholds
from api.core.labels import Freshness, Level


@dataclass(frozen=True)
class FruitGrade:
    """The grade of one picture.

    `confidence` is the calibrated probability of `class_name`; `freshness_score` goes from 0
    (rotten) to 1 (fresh) and is None where no class has a freshness. `freshness_level` is the
    score's level by the thresholds, None where the predicted class has no freshness. `thresholds`
    are the ones used; they are None unless some fruit of the version has its own.
    """

    class_name: str
    probabilities: dict[str, float]
    fruit: str
    freshness: Freshness | None
    freshness_score: float | None
    freshness_level: Level | None
    recognised: bool
    thresholds: LevelThresholds | None = field(default=None, kw_only=True)

    @property
    def confidence(self) -> float:
        return self.probabilities[self.class_name]


class Instance(NamedTuple):
    """One fruit of a photo: `box` in whole pixels of the upright photo, `score` of the detector
    from 0 to 1, and its grade.
    """

    box: Box
    score: float
    grade: FruitGrade


@dataclass(frozen=True)
class Instances:
    """The fruits of a photo, by score, of `width` times `height` upright pixels.

    `ungraded` counts the fruits that were found but not graded, beyond the limit.
    """

    width: int
    height: int
    fruits: tuple[Instance, ...]
    ungraded: int = 0

    @property
    def several(self) -> bool:
        return len(self.fruits) > 1


@dataclass(frozen=True)
class Grade(FruitGrade):
    """The result for one photo.

    `heatmap` is a PNG data URI if one was requested. `features` float16 [n] are the
    `drift_features`. `instances` is None unless requested. `several`: whether the photo plainly
    shows more than one fruit; None if nothing can tell.
    """

    interpretation: str
    milliseconds: float
    heatmap: str | None
    stored_image: bytes | Image.Image = field(compare=False, repr=False)
    hash_thumbnail: Image.Image = field(compare=False, repr=False)
    features: NDArray[np.float16] = field(compare=False, repr=False)
    instances: Instances | None = None
    several: bool | None = None
