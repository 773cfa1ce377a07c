"""From a folder of photographs to a model package: the whole of `make train`."""

from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from api.core.progress import OnEpoch, Progress, silent, unheard
from api.evaluation.measure import measure
from api.model.manifest import Manifest
from api.model.package import BACKBONE, HEAD, REPLAY, version_name, write_package
from api.training.corpus import TrainingCorpus
from api.training.export import check_agreement
from api.training.grader import train_grader
from api.training.recipe import Recipe
from api.training.replay import make_replay
from api.training.samples import inputs

LIBRARIES = ("ai-edge-litert", "keras", "numpy", "pillow", "scipy", "tensorflow")
PREPROCESSING = (
    "upright RGB, the whole picture resized to a square (Pillow, bilinear), uint8; "
    "scaling is part of the graph"
)


def build_package(
    corpus: TrainingCorpus,
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
    grader = train_grader(recipe, corpus.study(), progress, on_epoch)
    agreement = check_agreement(
        grader.keras_backbone,
        grader.backbone,
        inputs(corpus.photographs("test"), recipe.input_size),
        grader.head.log_probabilities,
    )
    replay = make_replay(grader, corpus, progress)
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
            parameters=network.count_params() + head.parameters,
            preprocessing=PREPROCESSING,
            metrics=metrics,
            thresholds=head.thresholds,
            data=corpus.fingerprint(),
            recipe=recipe.as_dict(),
            versions={name: version(name) for name in LIBRARIES},
            files=files,
        )

    return write_package(folder, fill, describe)
