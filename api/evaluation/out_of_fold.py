"""Out-of-fold predictions: train without some samples, predict exactly those, cache on disk.

Each grader also sees synthetic images without any fruit (noise, flat colours, blank sheets), which
are never trained on.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from api.core.imaging.hashing import content_hash
from api.core.progress import Progress, silent
from api.evaluation.graded import GradedSamples, OutOfFold
from api.settings import PROJECT
from api.training.corpus import TrainingCorpus
from api.training.grader import Grader, embed_pixels, train_grader
from api.training.recipe import Recipe
from api.training.samples import Sample

SYNTHETIC_COUNT = 32
# Packages of `api` that decide what is learned and measured.
CODE = ("core", "evaluation", "model", "training")


def code_hash() -> str:
    """A hash of the code that trains and measures, which matters as much as data and recipe.

    Cached results are measured again once any of that code has changed.
    """
    files = chain.from_iterable((PROJECT / "api" / name).rglob("*.py") for name in CODE)
    parts = [f"{file.relative_to(PROJECT)} {content_hash(file.read_bytes())}" for file in files]
    return content_hash("\n".join(sorted(parts)).encode())[:12]


class CrossValidation(ABC):
    """Runs that each hold out some `samples`, train on the rest and predict the held-out ones.

    `titles` name the runs in progress messages.
    """

    cache_name: ClassVar[str]
    stage: ClassVar[str]

    def __init__(
        self, corpus: TrainingCorpus, samples: Sequence[Sample], titles: Sequence[str]
    ) -> None:
        self.corpus = corpus
        self.samples = samples
        self.titles = titles

    @abstractmethod
    def holds_out(self, run: int, sample: Sample) -> bool:
        """Whether a run holds out a sample, of `samples` or any other of the corpus."""

    def held_out(self, run: int) -> list[Sample]:
        """The samples that a run predicts, in order."""
        return [sample for sample in self.samples if self.holds_out(run, sample)]

    def cache_files(self, cache: Path) -> list[Path]:
        """Where the predictions of each run are cached."""
        return [cache / f"{self.cache_name}{run}.npz" for run in range(len(self.titles))]

    def run(self, run: int, recipe: Recipe, progress: Progress = silent) -> OutOfFold:
        """Train the grader of one run and predict what it holds out."""
        split = self.corpus.split_without(lambda sample: self.holds_out(run, sample))
        grader = train_grader(recipe, split, progress)
        return predict(grader, self.held_out(run), progress)

    def run_all(
        self, recipe: Recipe, cache: Path, progress: Progress = silent
    ) -> list[GradedSamples]:
        """The graded held-out samples of each run. Cached runs are not trained again."""
        results = []
        for run, path in enumerate(self.cache_files(cache)):
            report = prefixed(progress, self.titles[run])
            predictions = cached(path, partial(self.run, run, recipe, report))
            results.append(GradedSamples(self.held_out(run), predictions, self.corpus.classes))
            progress(self.stage, run + 1, len(self.titles))
        return results


def cached(path: Path, make: Callable[[], OutOfFold]) -> OutOfFold:
    """The predictions at `path`, made and saved first if there are none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        make().save(path)
    return OutOfFold.load(path)


def prefixed(progress: Progress, title: str) -> Progress:
    """`progress` with the title before each stage."""
    return lambda stage, done, total: progress(f"{title}: {stage}", done, total)


def predict(grader: Grader, samples: Sequence[Sample], progress: Progress = silent) -> OutOfFold:
    """Predictions on the first file of each sample, and on synthetic images."""
    head = grader.head
    embeddings = grader.embed(samples, progress, "held-out photos")

    def margins(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        return head.ood_score(embeddings) - np.float32(head.ood.threshold)

    return OutOfFold(
        probabilities=head.probabilities(embeddings),
        uncalibrated=head.uncalibrated.probabilities(embeddings),
        margins=margins(embeddings),
        synthetic={
            kind: margins(embed_pixels(grader.backbone, pixels))
            for kind, pixels in synthetic_images(grader.input_size).items()
        },
    )


def synthetic_images(size: int) -> dict[str, NDArray[np.uint8]]:
    """Images without any fruit, by kind: uint8 [SYNTHETIC_COUNT, size, size, 3].

    Noise of several grain sizes, grey or coloured; flat random colours; blank sheets from black to
    white.
    """
    rng = np.random.default_rng(0)
    noise = np.stack([_noise(rng, size, k) for k in range(SYNTHETIC_COUNT)])
    colours = rng.integers(0, 256, (SYNTHETIC_COUNT, 1, 1, 3), dtype=np.uint8)
    greys = np.linspace(0, 255, SYNTHETIC_COUNT).astype(np.uint8)[:, None, None, None]
    shape = (SYNTHETIC_COUNT, size, size, 3)
    return {
        "noise": noise,
        "flat_colour": np.broadcast_to(colours, shape),
        "blank": np.broadcast_to(greys, shape),
    }


def _noise(rng: np.random.Generator, size: int, number: int) -> NDArray[np.uint8]:
    """Noise with a grain of 1, 2, 4 or 8 pixels, grey for even numbers: uint8 [size, size, 3]."""
    grain = 2 ** (number // 2 % 4)
    cells = -(-size // grain)
    channels = 3 if number % 2 else 1
    coarse = rng.integers(0, 256, (cells, cells, channels), dtype=np.uint8)
    fine = coarse.repeat(grain, axis=0).repeat(grain, axis=1)[:size, :size]
    return np.broadcast_to(fine, (size, size, 3))
