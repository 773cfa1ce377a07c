"""Grading what a grader has not seen."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from api.evaluation.heldout import HeldOut
from api.evaluation.strangers import strangers
from api.progress import Progress, silent
from api.training.embedding import embed_pixels
from api.training.grader import Grader
from api.training.samples import Sample


def grade(
    grader: Grader,
    samples: Sequence[Sample],
    progress: Progress = silent,
    purpose: str = "what was held out",
) -> HeldOut:
    """Grade samples of any kind by their first file, and pictures that show nothing."""
    head = grader.head
    embeddings = grader.embed(samples, progress, purpose)

    def margins(found: NDArray[np.float32]) -> NDArray[np.float32]:
        return head.ood_score(found) - np.float32(head.ood.threshold)

    return HeldOut(
        probabilities=head.probabilities(embeddings),
        uncalibrated=head.uncalibrated.probabilities(embeddings),
        margins=margins(embeddings),
        drawn={
            kind: margins(embed_pixels(grader.backbone, pixels))
            for kind, pixels in strangers(grader.input_size).items()
        },
    )
