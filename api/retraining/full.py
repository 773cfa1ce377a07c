"""Full retraining: fine-tunes the backbone in Keras on the photos themselves."""

import dataclasses
from typing import Any

import numpy as np

from api.catalog.duplicate_index import read_signatures
from api.core.paired_comparison import Contradictions, ModelComparison
from api.evaluation.build import build_package, measure_detector
from api.evaluation.compare_models import (
    ComparedModel,
    HeldOut,
    compare_latency,
    compare_models,
)
from api.model.backbone import open_backbone
from api.model.engines.choice import CompiledGraph
from api.model.manifest import Manifest
from api.model.package import REPLAY, Package, load_package
from api.model.replay_buffer import ReplayBuffer
from api.registry.promotion_gate import judge
from api.retraining.detector_run import TRAYS, with_grader_of_champion
from api.retraining.embed_catalog import rows_of_classes
from api.retraining.full_corpus import build_corpus
from api.retraining.full_detector import make_detector
from api.retraining.held_out import (
    JudgedRows,
    changed_labels,
    judged_rows,
    right_by_key,
    row_of_keys,
    too_few_held_out,
    with_first_judgement,
)
from api.retraining.job import Candidate, RetrainJob
from api.retraining.label_agreement import find_contradictions, label_agreement
from api.retraining.progress import Stage
from api.retraining.training_rows import TrainingRows
from api.training.corpus import TrainingCorpus
from api.training.detection.recipe import DetectorRecipe
from api.training.grader import embed_samples
from api.training.recipe import Recipe
from api.training.replay import measure_appearance

# Has no ImageNet weights.
CUSTOM_CNN = "custom_cnn"


def make_candidate(job: RetrainJob) -> Candidate:
    """Raises what `build_corpus` and `build_package` raise."""
    corpus = build_corpus(job)
    champion = job.champion.manifest
    backbone = open_backbone(job.champion, job.engine)
    # The photos as the champion sees them, for the label agreement and to judge its labels.
    data = rows_of_classes(job, backbone, corpus.classes)
    judged = JudgedRows.join(
        [
            judged_rows(job.replay, champion.classes, data),
            _imported_since(job, corpus, backbone),
        ]
    )
    contradicted, contradictions = find_contradictions(
        data,
        job.champion.head,
        champion.classes,
        job.image_ids,
    )
    earlier = with_first_judgement(
        dataclasses.replace(data.replay, contradicted=contradicted),
        data.classes,
        right_by_key(job.champion.head, champion.classes, judged.rows(~judged.held_out.is_new)),
    )
    detector = make_detector(job, corpus)
    folder = job.folder / "package"
    manifest = build_package(
        corpus,
        make_recipe(champion, job.options),
        folder,
        job.progress,
        on_epoch=job.on_epoch,
        parent=champion.version,
        started_by=job.started_by,
        earlier=earlier,
        detector=detector.detector,
        scenes=_scenes(job),
    )
    package = load_package(folder)
    if manifest.detector:
        manifest = measure_detector(package, corpus, job.progress, TRAYS)
        package = load_package(folder)
    comparison = _compare_with_champion(job, data, package, judged, contradictions)
    # A better detector must not be lost because the new grader is rejected.
    fallback = (
        with_grader_of_champion(job, corpus, detector.new)
        if detector.new and not judge(comparison).promote
        else None
    )
    return Candidate(folder, manifest, comparison, detector.report, fallback)


def _scenes(job: RetrainJob) -> DetectorRecipe | None:
    """How the champion learned to tell several fruits from one; None if it cannot."""
    detector = job.champion.manifest.detector
    if job.champion.head.several is None or detector is None:
        return None
    return DetectorRecipe.from_dict(detector.recipe)


def make_recipe(manifest: Manifest, options: dict[str, Any]) -> Recipe:
    """The champion's recipe, with the changes that the request asks for."""
    names = {field.name for field in dataclasses.fields(Recipe)}
    recipe = Recipe(**{name: value for name, value in manifest.recipe.items() if name in names})
    changes = {name: options[name] for name in ("architecture", "epochs") if options.get(name)}
    if changes.get("architecture", recipe.architecture) != recipe.architecture:
        changes["weights"] = "none" if changes["architecture"] == CUSTOM_CNN else "imagenet"
    return dataclasses.replace(recipe, **changes)


def _imported_since(job: RetrainJob, corpus: TrainingCorpus, backbone: CompiledGraph) -> JudgedRows:
    """The held-out photos that were imported on this machine after the champion was made."""
    known = set(job.replay.sha256.tolist())
    samples = [
        sample
        for sample in corpus.photographs("test")
        if corpus.by_path[sample.copies[0]].path not in corpus.catalog
        and corpus.by_path[sample.copies[0]].sha256 not in known
    ]
    files = [corpus.by_path[sample.copies[0]] for sample in samples]
    held_out = HeldOut(
        class_names=np.array([file.class_name for file in files], np.str_),
        photographs=np.array([file.photograph for file in files], np.str_),
        sources=np.array([sample.source for sample in samples], np.str_),
        looks=measure_appearance(samples),
        is_new=np.zeros(len(files), bool),
        first_right=np.full(len(files), -1, np.int8),
    )
    return JudgedRows(
        held_out,
        embed_samples(backbone, samples, job.champion.manifest.input_size),
        np.array([file.sha256 for file in files], np.str_),
        read_signatures(file.signature for file in files),
    )


def _compare_with_champion(
    job: RetrainJob,
    data: TrainingRows,
    package: Package,
    judged: JudgedRows,
    contradictions: Contradictions,
) -> ModelComparison:
    """Compare both on the held-out photos that are on this machine.

    Photos that the candidate has learned, since another rule held them out, do not count.
    """
    job.progress(Stage.COMPARING, 0, 2)
    known, classes = job.champion.manifest.classes, package.manifest.classes
    replay = ReplayBuffer.load(package.folder / REPLAY)
    rows = row_of_keys(replay)
    embeddings = np.concatenate([replay.embeddings, replay.retired.embeddings])
    not_learned = np.append(replay.splits == "test", np.ones(len(replay.retired), bool))
    present = judged.rows(
        np.array([key in rows and not_learned[rows[key]] for key in judged.keys], bool)
    )
    others = [job.replay.others, replay.others]
    ood = [each.rows(each.splits != "train") for each in others]
    candidate = ComparedModel(
        classes,
        package.head,
        embeddings[[rows[key] for key in present.keys]],
        ood[1].embeddings,
        others[1].embeddings,
    )
    is_test = replay.splits == "test"
    test = dataclasses.replace(candidate, embeddings=replay.embeddings[is_test])
    size = job.champion.manifest.input_size
    return compare_models(
        ComparedModel(
            known,
            job.champion.head,
            present.embeddings,
            ood[0].embeddings,
            others[0].embeddings,
        ),
        candidate,
        present.held_out,
        changed_labels=changed_labels(job.replay, known, job.photos),
        contradictions=contradictions,
        milliseconds=compare_latency(
            open_backbone(job.champion, job.engine),
            open_backbone(package, job.engine),
            (size, package.manifest.input_size),
        ),
        **label_agreement(
            data,
            known,
            test.predictions_by_sha256(replay.sha256[is_test]),
            too_few_held_out(present.held_out, known, classes),
        ),
    )
