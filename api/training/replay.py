"""The replay of a package: what of each photograph is kept to learn from it once more."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from api.dataset.folder import PhotoFile
from api.dataset.split import SPLITS
from api.imaging.hashing import content_hash, signature
from api.progress import Progress
from api.registry.replay import BOXED, Replay
from api.training.corpus import Corpus
from api.training.grader import Grader
from api.training.looks import looks
from api.training.recipe import Recipe
from api.training.samples import Sample, read, targets


def make_replay(grader: Grader, corpus: Corpus, recipe: Recipe, progress: Progress) -> Replay:
    """Every photograph once, in its unaltered file where there is one, and every boxed fruit."""
    samples = _samples(corpus, recipe)
    whole = [_file(corpus, sample) for sample in samples if sample.studio]
    boxed = [sample for sample in samples if not sample.studio]
    return Replay(
        embeddings=grader.embed(samples, progress, "for the replay"),
        targets=targets(samples),
        splits=np.array([file.split for file in whole] + ["train"] * len(boxed)),
        photographs=np.array([file.photograph for file in whole] + [_frame(s) for s in boxed]),
        sha256=_sha256(corpus, samples),
        signatures=np.stack(
            [_stored_signature(file) for file in whole] + [signature(read(s)) for s in boxed]
        ),
        catalog=np.array([file.path in corpus.catalog for file in whole] + [False] * len(boxed)),
        looks=looks(samples),
        copies=_copies(samples),
        others=grader.embed(corpus.other_things("set"), progress, "other things"),
    )


def looks_and_copies(
    replay: Replay, corpus: Corpus
) -> tuple[NDArray[np.float32], NDArray[np.int32]] | None:
    """`looks` and `copies` for a replay that was made of `corpus`; None where it was not."""
    # Of the recipe, only targets and weights of the boxed fruits depend.
    samples = _samples(corpus, Recipe())
    if not np.array_equal(_sha256(corpus, samples), replay.sha256):
        return None
    return looks(samples), _copies(samples)


def _samples(corpus: Corpus, recipe: Recipe) -> list[Sample]:
    """One sample a row: the photographs split by split, then the boxed fruits."""
    photographs = [sample for split in SPLITS for sample in corpus.photographs(split)]
    return [*photographs, *corpus.boxed(recipe)]


def _sha256(corpus: Corpus, samples: Sequence[Sample]) -> NDArray[np.str_]:
    """The hash of the first file of each sample: strings [n]."""
    return np.array(
        [
            _file(corpus, sample).sha256
            if sample.studio
            else content_hash(sample.copies[0].read_bytes())
            for sample in samples
        ]
    )


def _copies(samples: Sequence[Sample]) -> NDArray[np.int32]:
    return np.array([len(sample.copies) for sample in samples], np.int32)


def _file(corpus: Corpus, sample: Sample) -> PhotoFile:
    return corpus.by_path[sample.copies[0]]


def _stored_signature(file: PhotoFile) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(file.signature), np.uint8)


def _frame(sample: Sample) -> str:
    return f"{BOXED}{sample.copies[0].stem}"
