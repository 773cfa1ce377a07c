"""What one grader may see while it is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api.training.samples import Sample


@dataclass(frozen=True)
class Study:
    """What one grader may see. Nothing in here may be reported on.

    `training` holds one sample a photograph; `validation`, by which training stops and confidence
    is set, one sample a file of other photographs; `others` are photographs of no known class,
    perhaps none. `uploads` are files of `training` that people have added: where such a photograph
    was taken is not known.
    """

    training: Sequence[Sample]
    validation: Sequence[Sample]
    others: Sequence[Sample]
    uploads: frozenset[Path] = frozenset()
