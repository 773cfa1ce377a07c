"""What one grader may see while it is made."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.training.samples import Sample


@dataclass(frozen=True)
class Study:
    """What one grader may see. Nothing in here may be reported on.

    `training` and `stopping` hold one sample a photograph; `calibration` holds the files of the
    `stopping` photographs; `others` are photographs of no known class, perhaps none.
    """

    training: Sequence[Sample]
    stopping: Sequence[Sample]
    calibration: Sequence[Sample]
    others: Sequence[Sample]
