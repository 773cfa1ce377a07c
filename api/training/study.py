"""What one grader may see while it is made."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.training.samples import Sample


@dataclass(frozen=True)
class Study:
    """What one grader of `classes` may see. Nothing in here may be reported on.

    `training` is what it learns from: one sample a photograph. By `validation`, one sample a file
    of other photographs, training stops and thresholds are set. Both hold boxed fruits, and samples
    without a target: near misses and other things.
    """

    classes: tuple[str, ...]
    training: Sequence[Sample]
    validation: Sequence[Sample]
