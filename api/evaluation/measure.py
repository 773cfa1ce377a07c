"""The figures of one grader on the test split, which nothing was trained or set on."""

from typing import Any

from api.errors import ProblemError
from api.evaluation.figures import figures
from api.evaluation.heldout import grade_held_out
from api.evaluation.rejection import rejection_figures
from api.predict.litert import LiteRTBackbone
from api.progress import Progress, silent
from api.registry.manifest import Manifest
from api.registry.package import Package, rewrite_manifest
from api.training.corpus import Corpus
from api.training.grader import Grader


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
    """Measure a package again and write the figures into its manifest.

    For packages that were made before a figure was thought of. What was measured while training
    stays. Raises OtherPhotographsError where `corpus` is not what the package was made from.
    """
    manifest = package.manifest
    if corpus.fingerprint().sha256 != manifest.data.sha256:
        raise OtherPhotographsError(corpus, manifest)
    grader = Grader(
        keras_backbone=None,
        graph=package.backbone,
        backbone=LiteRTBackbone(package.backbone),
        head=package.head,
        input_size=manifest.input_size,
        history=(),
    )
    metrics = {**manifest.metrics, **measure(grader, corpus, progress)}
    return rewrite_manifest(package.folder, manifest.model_copy(update={"metrics": metrics}))
