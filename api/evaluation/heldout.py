"""What a grader says of what it has not seen, kept on disk between runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.dataset.boxed import Box
from api.dataset.folder import PhotoFile
from api.evaluation.strangers import strangers
from api.progress import Progress, silent
from api.training.corpus import Corpus
from api.training.embedding import embed_pixels
from api.training.grader import Grader
from api.training.samples import boxed_samples, file_samples


@dataclass(frozen=True)
class HeldOut:
    """What one grader said.

    Probabilities float32 [n, classes] and rejection distances float32 [n], divided by the
    grader's threshold, so that over 1 means not recognised. What came later is None where it was
    kept by an earlier version: `temperatures` float32 [n], what the logits of each file were
    divided by, and the distances of drawn pictures.
    """

    files: NDArray[np.float32]
    files_distance: NDArray[np.float32]
    boxes: NDArray[np.float32]
    boxes_distance: NDArray[np.float32]
    others_distance: NDArray[np.float32]
    temperatures: NDArray[np.float32] | None = None
    noise_distance: NDArray[np.float32] | None = None
    flat_colour_distance: NDArray[np.float32] | None = None
    blank_distance: NDArray[np.float32] | None = None

    @property
    def drawn(self) -> dict[str, NDArray[np.float32]]:
        """Distances float32 [any] of drawn pictures, by kind."""
        kinds = {
            "noise": self.noise_distance,
            "flat_colour": self.flat_colour_distance,
            "blank": self.blank_distance,
        }
        return {kind: found for kind, found in kinds.items() if found is not None}

    def save(self, path: Path) -> None:
        """Write the file whole or not at all."""
        temporary = path.with_suffix(".tmp.npz")
        arrays = {name: value for name, value in vars(self).items() if value is not None}
        np.savez_compressed(temporary, **arrays)
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> "HeldOut":
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**arrays)


def kept(path: Path, make: Callable[[], HeldOut]) -> HeldOut:
    """What lies at `path`; where nothing does, what `make` gives, which then lies there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        make().save(path)
    return HeldOut.load(path)


def grade_held_out(
    grader: Grader,
    corpus: Corpus,
    files: Sequence[PhotoFile],
    boxes: Sequence[Box] = (),
    *,
    progress: Progress = silent,
) -> HeldOut:
    """Grade files, boxes, the reported half of the other things, and pictures of nothing."""
    head = grader.head
    samples = file_samples(corpus.listing.root, files, corpus.classes)
    of_files = grader.embed(samples, progress, "held-out files")
    # What a box should be graded as does not matter here.
    held_boxes = boxed_samples(boxes, corpus.classes, normal_freshness=1.0)
    in_boxes = grader.embed(held_boxes, progress, "held-out boxes")
    others = grader.embed(corpus.other_things("report"), progress, "other things")

    def distance(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        return head.rejection.distance(embeddings) / np.float32(head.rejection.threshold)

    drawn = {
        kind: distance(embed_pixels(grader.backbone, pixels))
        for kind, pixels in strangers(grader.input_size).items()
    }
    return HeldOut(
        files=head.probabilities(of_files),
        files_distance=distance(of_files),
        boxes=head.probabilities(in_boxes),
        boxes_distance=distance(in_boxes),
        others_distance=distance(others),
        temperatures=head.temperatures(of_files),
        noise_distance=drawn["noise"],
        flat_colour_distance=drawn["flat_colour"],
        blank_distance=drawn["blank"],
    )
