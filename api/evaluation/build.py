"""Builds a model package from a corpus, and recomputes the metrics of an existing one."""

import shutil
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from api.core.errors import ProblemError
from api.core.progress import OnEpoch, Progress, silent
from api.core.several import SeveralFruits
from api.evaluation.classification_metrics import classification_metrics
from api.evaluation.detection import TRAYS, measure_detection
from api.evaluation.graded import GradedSamples
from api.evaluation.out_of_fold import predict
from api.evaluation.source_metrics import rejection_metrics, source_metrics
from api.model.engines.litert import LiteRTBackbone
from api.model.manifest import Manifest
from api.model.package import (
    BACKBONE,
    DETECTOR,
    HEAD,
    PARTS,
    REPLAY,
    Package,
    parts_of,
    version_name,
    write_package,
)
from api.model.probe import grade_probe
from api.model.provenance import versions_of
from api.model.replay_buffer import ReplayBuffer
from api.training.corpus import TrainingCorpus
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.several import fit_several
from api.training.detection.train import TrainedDetector
from api.training.export import check_agreement
from api.training.grader import Grader, train_grader
from api.training.recipe import Recipe
from api.training.replay import appearance_and_copies, build_replay
from api.training.samples import load_inputs

# OpenVINO does not make a package, but may serve it.
LIBRARIES = ("ai-edge-litert", "keras", "numpy", "openvino", "pillow", "scipy", "tensorflow")
PREPROCESSING = (
    "upright RGB, the whole picture resized to a square (Pillow, bilinear), uint8; "
    "scaling is part of the graph"
)


class OtherPhotographsError(ProblemError):
    code = "other-photographs"

    def __init__(self, corpus: TrainingCorpus, manifest: Manifest) -> None:
        super().__init__(
            f"{corpus.listing.root} does not hold the photographs that {manifest.version} was made "
            "from, so its test split may hold some that the grader has learned. Name that folder, "
            "or train again."
        )


def build_package(
    corpus: TrainingCorpus,
    recipe: Recipe,
    folder: Path,
    progress: Progress = silent,
    *,
    on_epoch: OnEpoch = silent,
    parent: str | None = None,
    started_by: str | None = None,
    earlier: ReplayBuffer | None = None,
    detector: TrainedDetector | None = None,
    scenes: DetectorRecipe | None = None,
) -> Manifest:
    """Train on `corpus` and write the package to `folder`, with the `detector` if there is one.

    With `scenes`, the grader also learns from scenes of that recipe to tell several fruits from
    one.

    `parent` and `started_by` go into the manifest; `earlier` is as in `build_replay`. Raises
    ExportError if the exported graph does not agree with Keras on the test photos.
    """
    grader = train_grader(recipe, corpus.training_split(), progress, on_epoch)
    if scenes:
        several = fit_several(scenes, corpus, grader.backbone, recipe.input_size, progress)
        grader = replace(grader, head=replace(grader.head, several=several))
    agreement = check_agreement(
        grader.keras_backbone,
        grader.backbone,
        load_inputs(corpus.photographs("test"), recipe.input_size),
        grader.head.log_probabilities,
    )
    replay = build_replay(grader, corpus, progress, earlier)
    metrics = {
        **metrics_on_test_split(grader, corpus, progress),
        "export_agreement": asdict(agreement),
        "training_curves": list(grader.history),
    }
    created = datetime.now(UTC).replace(microsecond=0)

    def write_files(part: Path) -> None:
        (part / BACKBONE).write_bytes(grader.graph)
        grader.head.save(part / HEAD)
        replay.save(part / REPLAY)
        if detector:
            (part / DETECTOR).write_bytes(detector.graph)

    def describe(files: dict[str, str]) -> Manifest:
        network, head = grader.keras_backbone, grader.head
        return Manifest(
            version=version_name(created, files),
            parent=parent,
            started_by=started_by,
            created_at=created,
            classes=corpus.classes,
            architecture=recipe.architecture,
            input_size=recipe.input_size,
            feature_shape=network.output_shape[1:],
            parameters=network.count_params() + head.parameters,
            preprocessing=PREPROCESSING,
            metrics=metrics,
            thresholds=head.thresholds,
            data=corpus.fingerprint(),
            recipe=recipe.as_dict(),
            versions=versions_of(LIBRARIES),
            files=files,
            probe=grade_probe(grader.backbone, head, recipe.input_size),
            detector=detector.manifest if detector else None,
        )

    return write_package(folder, write_files, describe)


def remeasure_package(
    package: Package, corpus: TrainingCorpus, progress: Progress = silent
) -> Manifest:
    """Recompute a package's metrics and appearance columns, for packages older than a metric.

    Network, head, version and training metrics stay the same. Raises OtherPhotographsError unless
    the package was made from `corpus`.
    """
    manifest = package.manifest
    replay = ReplayBuffer.load(package.folder / REPLAY)
    columns = appearance_and_copies(replay, corpus)
    if corpus.fingerprint().sha256 != manifest.data.sha256 or columns is None:
        raise OtherPhotographsError(corpus, manifest)
    looks, copies = columns
    grader = Grader(
        keras_backbone=None,
        graph=package.backbone,
        backbone=LiteRTBackbone(package.backbone),
        head=package.head,
        input_size=manifest.input_size,
        history=(),
    )
    metrics = {**manifest.metrics, **metrics_on_test_split(grader, corpus, progress)}

    def write_files(part: Path) -> None:
        for name in set(parts_of(manifest)) - {REPLAY}:
            shutil.copyfile(package.folder / name, part / name)
        replace(replay, looks=looks, copies=copies).save(part / REPLAY)

    def describe(files: dict[str, str]) -> Manifest:
        return manifest.model_copy(update={"metrics": metrics, "files": files})

    return write_package(package.folder, write_files, describe)


def with_detector(
    package: Package,
    detector: TrainedDetector,
    several: SeveralFruits | None,
    folder: Path,
    **provenance: str,
) -> Manifest:
    """Copy the package to `folder` with a new detector and `several`; its grades stay the same.

    The copy is a new version, since a stored version is never replaced. `provenance` has further
    fields of its manifest: `parent`, `started_by`.
    """
    created = datetime.now(UTC).replace(microsecond=0)

    def write_files(part: Path) -> None:
        for name in PARTS:
            shutil.copyfile(package.folder / name, part / name)
        if several is not package.head.several:
            replace(package.head, several=several).save(part / HEAD)
        (part / DETECTOR).write_bytes(detector.graph)

    def describe(files: dict[str, str]) -> Manifest:
        changes = {
            **provenance,
            "version": version_name(created, files),
            "created_at": created,
            "grader_created_at": package.manifest.grader_made_at,
            "files": files,
            "detector": detector.manifest,
        }
        return package.manifest.model_copy(update=changes)

    return write_package(folder, write_files, describe)


def measure_detector(
    package: Package, corpus: TrainingCorpus, progress: Progress = silent, trays: int = TRAYS
) -> Manifest:
    """Measure a package's detector on the test split, and write the figures into its manifest;
    everything else stays the same. Raises NoDetectorError."""
    metrics = measure_detection(package, corpus, progress=progress, trays=trays)

    def write_files(part: Path) -> None:
        for name in parts_of(package.manifest):
            shutil.copyfile(package.folder / name, part / name)

    def describe(files: dict[str, str]) -> Manifest:
        manifest = package.manifest
        detector = manifest.detector
        measured = detector.model_copy(update={"metrics": metrics}) if detector else None
        return manifest.model_copy(update={"files": files, "detector": measured})

    return write_package(package.folder, write_files, describe)


def metrics_on_test_split(
    grader: Grader, corpus: TrainingCorpus, progress: Progress = silent
) -> dict[str, Any]:
    """Metrics on the test split: class folders, boxes, OOD and synthetic images; JSON-ready."""
    files = corpus.file_samples("test")
    samples = [*files, *corpus.boxed_and_ood("test")]
    graded = GradedSamples(samples, predict(grader, samples, progress), corpus.classes)
    fruit = graded.counted_once(corpus.photographs("test"))
    return {
        "test_by_photograph": classification_metrics(
            "test split by photograph, all saved copies; not seen in training",
            corpus,
            graded.where(np.arange(len(samples)) < len(files)),
        ),
        "by_source": source_metrics(
            "test split by photograph or run, one file a photograph, and boxed fruits; not seen in "
            "training, but the sources were",
            fruit,
        ),
        "rejection": {
            "split": "test split; other produce by kind, not learned from",
            **rejection_metrics(fruit, graded),
        },
    }
