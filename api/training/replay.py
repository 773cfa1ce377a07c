"""The replay of a package: what of each photograph is kept to learn from it once more."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from api.core.appearance import appearance
from api.core.imaging.decode import decode
from api.core.imaging.hashing import content_hash, perceptual_hash
from api.core.progress import Progress
from api.core.splits import SPLITS, Split, split_of
from api.model.replay_buffer import BOXED, LOOKS, Others, Replay
from api.training.bounding_boxes import crop
from api.training.class_folders import PhotoFile
from api.training.corpus import TrainingCorpus
from api.training.grader import Grader
from api.training.heads import freshness_of
from api.training.samples import BOX_MARGIN, Sample, read, targets


def make_replay(grader: Grader, corpus: TrainingCorpus, progress: Progress) -> Replay:
    """Every photograph once, in its unaltered file where there is one, every boxed fruit, and what
    is none of the classes but for its test split."""
    samples = _samples(corpus)
    whole = [_file(corpus, sample) for sample in samples if sample.box is None]
    boxed = [sample for sample in samples if sample.box is not None]
    return Replay(
        embeddings=grader.embed(samples, progress, "for the replay"),
        targets=targets(samples),
        splits=np.array(
            [*(file.split for file in whole), *(split_of(sample.group) for sample in boxed)]
        ),
        photographs=np.array([*(file.photograph for file in whole), *map(_frame, boxed)]),
        sha256=_sha256(corpus, samples),
        signatures=np.stack(
            [_stored_signature(file) for file in whole] + [perceptual_hash(read(s)) for s in boxed]
        ),
        catalog=np.array([file.path in corpus.catalog for file in whole] + [False] * len(boxed)),
        looks=looks(samples),
        copies=_copies(samples),
        sources=np.array([sample.source for sample in samples], np.str_),
        others=_others(grader, corpus, progress),
    )


def looks_and_copies(
    replay: Replay, corpus: TrainingCorpus
) -> tuple[NDArray[np.float32], NDArray[np.int32]] | None:
    """`looks` and `copies` for a replay that was made of `corpus`; None where it was not."""
    samples = _samples(corpus)
    if not np.array_equal(_sha256(corpus, samples), replay.sha256):
        return None
    return looks(samples), _copies(samples)


def _samples(corpus: TrainingCorpus) -> list[Sample]:
    """One sample a row: the photographs split by split, then the boxed fruits."""
    photographs = [sample for split in SPLITS for sample in corpus.photographs(split)]
    return [*photographs, *(sample for split in SPLITS for sample in corpus.boxed(split))]


def _others(grader: Grader, corpus: TrainingCorpus, progress: Progress) -> Others:
    """What is none of the classes, of the splits that a grader may see."""
    seen: tuple[Split, ...] = ("train", "validation")
    samples = [s for split in seen for s in (*corpus.near_misses(split), *corpus.far(split))]
    return Others(
        embeddings=grader.embed(samples, progress, "what is none of the classes"),
        groups=np.array([sample.group for sample in samples], np.str_),
        splits=np.array([split_of(sample.group) for sample in samples], np.str_),
        freshness=freshness_of([sample.freshness for sample in samples]),
    )


def _sha256(corpus: TrainingCorpus, samples: Sequence[Sample]) -> NDArray[np.str_]:
    """The hash of the first file of each sample: strings [n]."""
    return np.array(
        [
            _file(corpus, sample).sha256
            if sample.box is None
            else content_hash(sample.copies[0].read_bytes())
            for sample in samples
        ]
    )


def _copies(samples: Sequence[Sample]) -> NDArray[np.int32]:
    return np.array([len(sample.copies) for sample in samples], np.int32)


def _file(corpus: TrainingCorpus, sample: Sample) -> PhotoFile:
    return corpus.by_path[sample.copies[0]]


def _stored_signature(file: PhotoFile) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(file.signature), np.uint8)


def _frame(sample: Sample) -> str:
    return f"{BOXED}{sample.copies[0].stem}"


def looks(samples: Sequence[Sample]) -> NDArray[np.float32]:
    """Of the first file of each sample, cut to its box: float32 [n, 5], the columns LOOKS.

    A box is as large as it is in the file. Decodes every file.
    """
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        rows = list(threads.map(_look, samples))
    return np.array(rows, np.float32).reshape(-1, len(LOOKS))


def _look(sample: Sample) -> tuple[float, ...]:
    photograph, box = decode(sample.copies[0].read_bytes()), sample.box
    if box is None:
        return (*astuple(appearance(photograph.image)), photograph.width, photograph.height)
    found = appearance(crop(photograph, box, BOX_MARGIN))
    return (*astuple(found), box.xmax - box.xmin, box.ymax - box.ymin)
