"""Full retraining: the backbone is fine-tuned in Keras on the photographs themselves."""

import dataclasses
from typing import Any

import numpy as np

from api.core.paired_comparison import Comparison
from api.evaluation.build import build_package
from api.evaluation.compare_models import Side, compare_models, side_by_side
from api.model.litert import LiteRTBackbone
from api.model.manifest import Manifest
from api.model.package import REPLAY, Package, load_package
from api.model.replay_buffer import Replay
from api.retraining.build_corpus import build_corpus
from api.retraining.candidate import Candidate, RetrainJob
from api.retraining.label_agreement import label_agreement
from api.retraining.prepare import prepare
from api.training.corpus import TrainingCorpus
from api.training.embedding import embed_samples
from api.training.recipe import Recipe

# Nobody publishes weights for it.
WITHOUT_WEIGHTS = "custom_cnn"


def make(order: RetrainJob) -> Candidate:
    """Train a candidate and compare it.

    Raises what `build_corpus` and `prepare` raise, before anything is trained, and what
    `build_package` raises.
    """
    corpus = build_corpus(order)
    backbone = LiteRTBackbone(order.champion.backbone)
    material = prepare(order, backbone)
    folder = order.folder / "package"
    manifest = build_package(
        corpus,
        recipe(order.champion.manifest, order.options),
        folder,
        order.progress,
        on_epoch=order.on_epoch,
        parent=order.champion.manifest.version,
        started_by=order.started_by,
    )
    made = load_package(folder)
    said, comparison = _compare(order, corpus, made, Replay.load(folder / REPLAY), backbone)
    known = order.champion.manifest.classes
    new_classes, new_labels = label_agreement(material, known, said)
    comparison = dataclasses.replace(comparison, new_classes=new_classes, new_labels=new_labels)
    return Candidate(folder, manifest, comparison)


def recipe(manifest: Manifest, options: dict[str, Any]) -> Recipe:
    """The champion's recipe with what the request changes."""
    knobs = {field.name for field in dataclasses.fields(Recipe)}
    found = Recipe(**{name: value for name, value in manifest.recipe.items() if name in knobs})
    asked = {name: options[name] for name in ("architecture", "epochs") if options.get(name)}
    if asked.get("architecture", found.architecture) != found.architecture:
        weights = "none" if asked["architecture"] == WITHOUT_WEIGHTS else "imagenet"
        asked["weights"] = weights
    return dataclasses.replace(found, **asked)


def _compare(
    order: RetrainJob,
    corpus: TrainingCorpus,
    made: Package,
    replay: Replay,
    backbone: LiteRTBackbone,
) -> tuple[dict[str, str], Comparison]:
    """The candidate's answers on its test photographs by SHA-256, and the comparison on those that
    the champion has not learned from."""
    size = order.champion.manifest.input_size
    samples = corpus.photographs("test")
    test = (replay.splits == "test") & ~replay.boxed
    by_path = {corpus.listing.root / file.path: file for file in corpus.listing.files}
    files = [by_path[sample.copies[0]] for sample in samples]
    order.progress("Comparing with the champion", 0, 2)
    before = embed_samples(backbone, samples, size)
    unknown = [*corpus.near_misses("validation"), *corpus.far("validation")]
    others = embed_samples(backbone, unknown, size)
    champion = Side(order.champion.manifest.classes, order.champion.head, before, others)
    unseen_others = replay.others.rows(replay.others.splits == "validation").embeddings
    candidate = Side(made.manifest.classes, made.head, replay.embeddings[test], unseen_others)
    said = candidate.answers(np.array([file.sha256 for file in files]))
    learned = set(order.replay.sha256[order.replay.splits != "test"].tolist())
    unseen = np.array([file.sha256 not in learned for file in files], bool)
    timed = side_by_side(backbone, LiteRTBackbone(made.backbone), (size, made.manifest.input_size))
    comparison = compare_models(
        dataclasses.replace(champion, embeddings=before[unseen]),
        dataclasses.replace(candidate, embeddings=candidate.embeddings[unseen]),
        np.array([file.class_name for file in files])[unseen],
        np.array([file.photograph for file in files])[unseen],
        milliseconds=timed,
        new_classes={},
        new_labels={},
    )
    return said, comparison
