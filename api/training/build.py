"""From a folder of photographs to a model package: the whole of `make train`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.dataset.folder import PhotoFile
from api.dataset.split import SPLITS, Split
from api.imaging.hashing import content_hash, signature
from api.predict.head import Head
from api.predict.litert import LiteRTBackbone
from api.progress import Progress, silent
from api.registry.manifest import Manifest
from api.registry.package import BACKBONE, HEAD, REPLAY, write_package
from api.registry.replay import Replay
from api.training.calibrate import fit_temperature
from api.training.corpus import Corpus
from api.training.embedding import embed_samples
from api.training.evaluate import evaluate
from api.training.export import check_agreement, to_litert
from api.training.recipe import Recipe
from api.training.reject import fit_rejection, set_threshold
from api.training.samples import Sample, file_samples, inputs, read, targets
from api.training.train import Trained, train

LIBRARIES = ("ai-edge-litert", "keras", "numpy", "pillow", "scipy", "tensorflow")
PREPROCESSING = (
    "upright RGB, the whole picture resized to a square (Pillow, bilinear), uint8; "
    "scaling is part of the graph"
)


def build_package(
    corpus: Corpus, recipe: Recipe, folder: Path, progress: Progress = silent
) -> Manifest:
    """Train on `corpus` by `recipe` and write the package to `folder`.

    Raises ExportError if the exported graph does not agree with Keras on the test photographs.
    """
    training = [*corpus.photographs("train"), *corpus.boxed(recipe)]
    trained = train(recipe, training, corpus.photographs("validation"), progress)
    graph = to_litert(trained.backbone)
    backbone = LiteRTBackbone(graph)
    agreement = check_agreement(
        trained.backbone,
        backbone,
        inputs(corpus.photographs("test"), recipe.input_size),
        trained.weights,
        trained.bias,
    )
    exported = _Exported(corpus, recipe, backbone, progress)
    replay = _replay(exported)
    head = _head(exported, trained, replay)
    metrics = {**_metrics(exported, head), "export_agreement": asdict(agreement)}

    created = datetime.now(UTC).replace(microsecond=0)
    heights, widths, channels = trained.backbone.output_shape[1:]

    def fill(part: Path) -> None:
        (part / BACKBONE).write_bytes(graph)
        head.save(part / HEAD)
        replay.save(part / REPLAY)

    def manifest(files: dict[str, str]) -> Manifest:
        return Manifest(
            version=f"{created:%Y%m%d-%H%M%S}-{files[HEAD][:7]}",
            created_at=created,
            classes=corpus.classes,
            architecture=recipe.architecture,
            input_size=recipe.input_size,
            feature_shape=(heights, widths, channels),
            parameters=trained.backbone.count_params() + head.weights.size + head.bias.size,
            preprocessing=PREPROCESSING,
            metrics={**metrics, "training_curves": list(trained.history)},
            thresholds={
                "temperature": head.temperature,
                "rejection_distance": head.rejection.threshold,
            },
            data=corpus.fingerprint(),
            recipe=recipe.as_dict(),
            versions={name: version(name) for name in LIBRARIES},
            files=files,
        )

    return write_package(folder, fill, manifest)


@dataclass(frozen=True)
class _Exported:
    """The exported backbone and what it is to be finished on."""

    corpus: Corpus
    recipe: Recipe
    backbone: LiteRTBackbone
    progress: Progress

    def embed(self, samples: Sequence[Sample], purpose: str) -> NDArray[np.float32]:
        """Embeddings float32 [n, channels]; none of no samples."""
        size = self.recipe.input_size
        return embed_samples(self.backbone, samples, size, self.progress, f"Embedding {purpose}")

    def files(self, split: Split) -> list[Sample]:
        corpus = self.corpus
        return file_samples(corpus.listing.root, corpus.files(split), corpus.classes)


def _replay(exported: _Exported) -> Replay:
    """Every photograph once, in its unaltered file where there is one, and every boxed fruit."""
    corpus = exported.corpus
    by_path = {corpus.listing.root / file.path: file for file in corpus.listing.files}
    photographs = [sample for split in SPLITS for sample in corpus.photographs(split)]
    boxed = corpus.boxed(exported.recipe)
    samples = [*photographs, *boxed]
    files = [by_path[sample.copies[0]] for sample in photographs]
    return Replay(
        embeddings=exported.embed(samples, "for the replay"),
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
    )


def _head(exported: _Exported, trained: Trained, replay: Replay) -> Head:
    """Calibrate on the validation files, fit the rejection on training embeddings."""
    validation = exported.files("validation")
    held_out = exported.embed(validation, "for calibration")
    logits = held_out @ trained.weights + trained.bias
    temperature = fit_temperature(logits, targets(validation).argmax(axis=1))
    learned = replay.splits == "train"
    rejection = fit_rejection(replay.embeddings[learned], replay.targets[learned].argmax(axis=1))
    others = exported.embed(exported.corpus.other_things("set"), "other things")
    rejection = set_threshold(rejection, held_out, others)
    return Head(trained.weights, trained.bias, temperature, rejection)


def _metrics(exported: _Exported, head: Head) -> dict[str, Any]:
    """Figures on the test split, which nothing was trained or set on."""
    corpus = exported.corpus
    samples = exported.files("test")
    embeddings = exported.embed(samples, "the test photographs")
    labels = targets(samples).argmax(axis=1)
    names = [file.photograph for file in corpus.files("test")]
    others = exported.embed(corpus.other_things("report"), "more other things")
    return {
        "test_by_photograph": {
            "split": "test split by photograph, all saved copies; not seen in training",
            **evaluate(head.probabilities(embeddings), labels, corpus.classes, names),
        },
        "rejection": {
            "known_files": len(samples),
            "known_rejected": _rejected(head, embeddings),
            "other_files": len(others),
            "others_rejected": _rejected(head, others),
        },
    }


def _rejected(head: Head, embeddings: NDArray[np.float32]) -> float | None:
    """The share turned away; None of nothing."""
    return float(1 - head.recognises(embeddings).mean()) if len(embeddings) else None


def _stored_signature(file: PhotoFile) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(file.signature), np.uint8)


def _frame(sample: Sample) -> str:
    return f"boxed/{sample.copies[0].stem}"
