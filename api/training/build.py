"""From a folder of photographs to a model package: the whole of `make train`."""

from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.dataset.folder import PhotoFile
from api.dataset.split import SPLITS
from api.evaluation.measure import measure
from api.imaging.hashing import content_hash, signature
from api.progress import OnEpoch, Progress, silent, unheard
from api.registry.manifest import Manifest
from api.registry.package import BACKBONE, HEAD, REPLAY, version_name, write_package
from api.registry.replay import BOXED, Replay
from api.training.corpus import Corpus
from api.training.export import check_agreement
from api.training.grader import Grader, train_grader
from api.training.recipe import Recipe
from api.training.samples import Sample, inputs, read, targets

LIBRARIES = ("ai-edge-litert", "keras", "numpy", "pillow", "scipy", "tensorflow")
PREPROCESSING = (
    "upright RGB, the whole picture resized to a square (Pillow, bilinear), uint8; "
    "scaling is part of the graph"
)


def build_package(
    corpus: Corpus,
    recipe: Recipe,
    folder: Path,
    progress: Progress = silent,
    *,
    on_epoch: OnEpoch = unheard,
    parent: str | None = None,
    started_by: str | None = None,
) -> Manifest:
    """Train on `corpus` by `recipe` and write the package to `folder`.

    `on_epoch` is called after each epoch; `parent` and `started_by` go into the manifest. Raises
    ExportError if the exported graph does not agree with Keras on the test photographs.
    """
    grader = train_grader(recipe, corpus.study(recipe), progress, on_epoch)
    agreement = check_agreement(
        grader.keras_backbone,
        grader.backbone,
        inputs(corpus.photographs("test"), recipe.input_size),
        grader.head.weights,
        grader.head.bias,
    )
    replay = _replay(grader, corpus, recipe, progress)
    metrics = {
        **measure(grader, corpus, progress),
        "export_agreement": asdict(agreement),
        "training_curves": list(grader.history),
    }
    created = datetime.now(UTC).replace(microsecond=0)

    def fill(part: Path) -> None:
        (part / BACKBONE).write_bytes(grader.graph)
        grader.head.save(part / HEAD)
        replay.save(part / REPLAY)

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
            parameters=network.count_params() + head.weights.size + head.bias.size,
            preprocessing=PREPROCESSING,
            metrics=metrics,
            thresholds={
                "temperature": head.temperature,
                "rejection_distance": head.rejection.threshold,
            },
            data=corpus.fingerprint(),
            recipe=recipe.as_dict(),
            versions={name: version(name) for name in LIBRARIES},
            files=files,
        )

    return write_package(folder, fill, describe)


def _replay(grader: Grader, corpus: Corpus, recipe: Recipe, progress: Progress) -> Replay:
    """Every photograph once, in its unaltered file where there is one, and every boxed fruit."""
    by_path = {corpus.listing.root / file.path: file for file in corpus.listing.files}
    photographs = [sample for split in SPLITS for sample in corpus.photographs(split)]
    boxed = corpus.boxed(recipe)
    samples = [*photographs, *boxed]
    files = [by_path[sample.copies[0]] for sample in photographs]
    return Replay(
        embeddings=grader.embed(samples, progress, "for the replay"),
        targets=targets(samples),
        splits=np.array([file.split for file in files] + ["train"] * len(boxed)),
        photographs=np.array([file.photograph for file in files] + [_frame(s) for s in boxed]),
        sha256=np.array(
            [file.sha256 for file in files]
            + [content_hash(sample.copies[0].read_bytes()) for sample in boxed]
        ),
        signatures=np.stack(
            [_stored_signature(file) for file in files] + [signature(read(s)) for s in boxed]
        ),
        catalog=np.array([file.path in corpus.catalog for file in files] + [False] * len(boxed)),
        others=grader.embed(corpus.other_things("set"), progress, "other things"),
    )


def _stored_signature(file: PhotoFile) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(file.signature), np.uint8)


def _frame(sample: Sample) -> str:
    return f"{BOXED}{sample.copies[0].stem}"
