"""The figures of one grader on the test split, which nothing was trained or set on."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from api.core.errors import ProblemError
from api.core.progress import Progress, silent
from api.evaluation.figures import figures
from api.evaluation.out_of_fold import grade
from api.evaluation.source_figures import Graded, counts_once, rejection_of, source_figures
from api.model.litert import LiteRTBackbone
from api.model.manifest import Manifest
from api.model.package import BACKBONE, HEAD, REPLAY, Package, write_package
from api.model.replay_buffer import Replay
from api.training.corpus import TrainingCorpus
from api.training.grader import Grader
from api.training.replay import looks_and_copies


class OtherPhotographsError(ProblemError):
    code = "other-photographs"

    def __init__(self, corpus: TrainingCorpus, manifest: Manifest) -> None:
        super().__init__(
            f"{corpus.listing.root} does not hold the photographs that {manifest.version} was made "
            "from, so its test split may hold some that the grader has learned. Name that folder, "
            "or train anew."
        )


def measure(grader: Grader, corpus: TrainingCorpus, progress: Progress = silent) -> dict[str, Any]:
    """Grade the test split, fruit or not, and pictures of nothing; JSON-ready."""
    files = corpus.file_samples("test")
    fruit = [*files, *corpus.boxed("test")]
    samples = [*fruit, *corpus.near_misses("test"), *corpus.far("test")]
    found = grade(grader, samples, progress)
    first = {sample.copies[0] for sample in corpus.photographs("test")}
    once = np.array([counts_once(sample, first) for sample in samples])
    graded = Graded.among(samples, found, corpus.classes, once)
    return {
        "test_by_photograph": figures(
            "test split by photograph, all saved copies; not seen in training",
            corpus.listing.root,
            corpus.files("test"),
            found.probabilities[: len(files)],
            corpus.classes,
            uncalibrated=found.uncalibrated[: len(files)],
        ),
        "by_source": source_figures(
            "test split by photograph or run, one file a photograph, and boxed fruits; not seen in "
            "training, but the sources were",
            graded,
        ),
        "rejection": {
            "split": "test split; other produce by kind, not learned from",
            **rejection_of(graded, samples, found),
        },
    }


def measure_package(
    package: Package, corpus: TrainingCorpus, progress: Progress = silent
) -> Manifest:
    """Measure a package again: its figures, and what its photographs look like.

    For packages that were made before a figure was thought of. What was measured while training
    stays, and so do network, head and version. Raises OtherPhotographsError where `corpus` is not
    what the package was made from.
    """
    manifest = package.manifest
    replay = Replay.load(package.folder / REPLAY)
    found = looks_and_copies(replay, corpus)
    if corpus.fingerprint().sha256 != manifest.data.sha256 or found is None:
        raise OtherPhotographsError(corpus, manifest)
    looks, copies = found
    grader = Grader(
        keras_backbone=None,
        graph=package.backbone,
        backbone=LiteRTBackbone(package.backbone),
        head=package.head,
        input_size=manifest.input_size,
        history=(),
    )
    metrics = {**manifest.metrics, **measure(grader, corpus, progress)}

    def fill(part: Path) -> None:
        for name in (BACKBONE, HEAD):
            shutil.copyfile(package.folder / name, part / name)
        replace(replay, looks=looks, copies=copies).save(part / REPLAY)

    def describe(files: dict[str, str]) -> Manifest:
        return manifest.model_copy(update={"metrics": metrics, "files": files})

    return write_package(package.folder, fill, describe)
