"""Builds the replay buffer of a package: embeddings and metadata to retrain the heads from."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace

import numpy as np
from numpy.typing import NDArray

from api.core.appearance import appearance
from api.core.imaging.crop import BOX_MARGIN
from api.core.imaging.decode import decode
from api.core.imaging.hashing import SIGNATURE_BYTES, content_hash, perceptual_hash
from api.core.progress import Progress
from api.core.splits import SPLITS, split_of
from api.model.replay_buffer import (
    APPEARANCE_COLUMNS,
    BOX_PREFIX,
    OodSamples,
    ReplayBuffer,
    RetiredRows,
)
from api.training.bounding_boxes import crop
from api.training.corpus import TrainingCorpus
from api.training.grader import Grader
from api.training.heads import freshness_values
from api.training.samples import Sample, load_image, photograph_samples, targets


def build_replay(
    grader: Grader,
    corpus: TrainingCorpus,
    progress: Progress,
    earlier: ReplayBuffer | None = None,
) -> ReplayBuffer:
    """One row for each photograph (its unaltered file if there is one) and each boxed fruit, of
    all splits; out-of-distribution samples of training and validation only.

    First judgements and contradictions are copied from `earlier`, the previous version's replay.
    """
    samples = _samples(corpus)
    files = [corpus.by_path[sample.copies[0]] for sample in samples if sample.box is None]
    boxed = [sample for sample in samples if sample.box is not None]
    ood = [
        sample
        for split in SPLITS[:2]
        for sample in (*corpus.near_ood(split), *corpus.far_ood(split))
    ]
    embeddings = grader.embed(samples, progress, "photos for the replay buffer")
    rows = targets(samples)
    splits = np.array(
        [*(file.split for file in files), *(corpus.split_of_run[sample.group] for sample in boxed)]
    )
    labels, is_test = rows.argmax(axis=1), splits == "test"
    right = grader.head.probabilities(embeddings).argmax(axis=1) == labels
    replay = ReplayBuffer(
        embeddings=embeddings,
        targets=rows,
        splits=splits,
        photographs=np.array(
            [
                f"{BOX_PREFIX}{sample.copies[0].stem}" if sample.box else sample.group
                for sample in samples
            ]
        ),
        sha256=_sha256(corpus, samples),
        signatures=np.stack(
            [np.frombuffer(bytes.fromhex(file.signature), np.uint8) for file in files]
            + [perceptual_hash(load_image(sample)) for sample in boxed]
        ),
        catalog=np.array([file.path in corpus.catalog for file in files] + [False] * len(boxed)),
        looks=measure_appearance(samples),
        copies=_copies(samples),
        sources=np.array([sample.source for sample in samples], np.str_),
        others=OodSamples(
            embeddings=grader.embed(ood, progress, "photos of no class"),
            groups=np.array([sample.group for sample in ood], np.str_),
            splits=np.array([split_of(sample.group) for sample in ood], np.str_),
            freshness=freshness_values(ood),
        ),
        first_class=np.where(is_test, np.array(corpus.classes)[labels], ""),
        first_right=np.where(is_test, right, -1).astype(np.int8),
        contradicted=np.zeros(len(rows), bool),
        retired=_retired_rows(grader, corpus, progress),
    )
    return _with_judgement_of(earlier, replay) if earlier else replay


def _with_judgement_of(earlier: ReplayBuffer, replay: ReplayBuffer) -> ReplayBuffer:
    row_of = {key: row for row, key in enumerate(earlier.keys)}
    rows = np.array([row_of.get(key, -1) for key in replay.keys])
    known = rows >= 0
    judged = known & (earlier.first_right[rows] >= 0)
    return replace(
        replay,
        first_class=np.where(judged, earlier.first_class[rows], replay.first_class),
        first_right=np.where(judged, earlier.first_right[rows], replay.first_right),
        contradicted=known & earlier.contradicted[rows],
    )


def _retired_rows(grader: Grader, corpus: TrainingCorpus, progress: Progress) -> RetiredRows:
    files = corpus.retired
    names = sorted({file.class_name for file in files})
    samples = photograph_samples(corpus.listing.root, files, names)
    by_path = {corpus.listing.root / file.path: file for file in files}
    first = [by_path[sample.copies[0]] for sample in samples]
    embeddings = grader.embed(samples, progress, "of classes that are left out")
    return RetiredRows(
        embeddings=embeddings,
        class_names=np.array([file.class_name for file in first], np.str_),
        photographs=np.array([file.photograph for file in first], np.str_),
        sha256=np.array([file.sha256 for file in first], np.str_),
        signatures=np.frombuffer(
            b"".join(bytes.fromhex(file.signature) for file in first), np.uint8
        ).reshape(len(first), SIGNATURE_BYTES),
        looks=measure_appearance(samples),
        copies=_copies(samples),
        sources=np.array([sample.source for sample in samples], np.str_),
    )


def appearance_and_copies(
    replay: ReplayBuffer, corpus: TrainingCorpus
) -> tuple[NDArray[np.float32], NDArray[np.int32]] | None:
    """The columns `looks` and `copies` of a replay buffer that was built from `corpus`; None if it
    was built from other photos."""
    samples = _samples(corpus)
    if not np.array_equal(_sha256(corpus, samples), replay.sha256):
        return None
    return measure_appearance(samples), _copies(samples)


def measure_appearance(samples: Sequence[Sample]) -> NDArray[np.float32]:
    """APPEARANCE_COLUMNS of the first file of each sample, cropped to its box: float32 [n, 5].

    The size of a box is in pixels of the file. Decodes every file.
    """

    def measure(sample: Sample) -> tuple[float, ...]:
        photograph, box = decode(sample.copies[0].read_bytes()), sample.box
        if box is None:
            return (*astuple(appearance(photograph.image)), photograph.width, photograph.height)
        traits = astuple(appearance(crop(photograph, box, BOX_MARGIN)))
        return (*traits, box.xmax - box.xmin, box.ymax - box.ymin)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        rows = list(threads.map(measure, samples))
    return np.array(rows, np.float32).reshape(-1, len(APPEARANCE_COLUMNS))


def _samples(corpus: TrainingCorpus) -> list[Sample]:
    """One sample for each row: the photographs split by split, then the boxed fruits."""
    return [*corpus.photographs(*SPLITS), *corpus.boxed(*SPLITS)]


def _sha256(corpus: TrainingCorpus, samples: Sequence[Sample]) -> NDArray[np.str_]:
    """The hash of the first file of each sample: strings [n]."""
    return np.array(
        [
            corpus.by_path[sample.copies[0]].sha256
            if sample.box is None
            else content_hash(sample.copies[0].read_bytes())
            for sample in samples
        ]
    )


def _copies(samples: Sequence[Sample]) -> NDArray[np.int32]:
    return np.array([len(sample.copies) for sample in samples], np.int32)
