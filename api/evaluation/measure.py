"""The figures of one grader on the test split, which nothing was trained or set on."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from api.errors import ProblemError
from api.evaluation.figures import figures
from api.evaluation.heldout import grade_held_out
from api.evaluation.rejection import rejection_figures
from api.predict.litert import LiteRTBackbone
from api.progress import Progress, silent
from api.registry.manifest import Manifest
from api.registry.package import BACKBONE, HEAD, REPLAY, Package, write_package
from api.registry.replay import Replay
from api.training.corpus import Corpus
from api.training.grader import Grader
from api.training.replay import looks_and_copies


class OtherPhotographsError(ProblemError):
    code = "other-photographs"

    def __init__(self, corpus: Corpus, manifest: Manifest) -> None:
        super().__init__(
            f"{corpus.listing.root} does not hold the photographs that {manifest.version} was made "
            "from, so its test split may hold some that the grader has learned. Name that folder, "
            "or train anew."
        )


def measure(grader: Grader, corpus: Corpus, progress: Progress = silent) -> dict[str, Any]:
    """Grade the test split, other things and pictures of nothing; JSON-ready."""
    files = corpus.files("test")
    found = grade_held_out(grader, corpus, files, progress=progress)
    return {
        "test_by_photograph": figures(
            "test split by photograph, all saved copies; not seen in training",
            corpus.listing.root,
            files,
            found.files,
            corpus.classes,
            temperatures=found.temperatures,
        ),
        "rejection": rejection_figures(
            found.files_distance,
            [file.photograph for file in files],
            found.others_distance,
            [sample.copies[0].name for sample in corpus.other_things("report")],
            found.drawn,
        ),
    }


def measure_package(package: Package, corpus: Corpus, progress: Progress = silent) -> Manifest:
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
