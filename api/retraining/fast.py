"""Fast retraining: new heads on the champion's frozen backbone. Seconds, and no TensorFlow.

`make_candidate` has the steps; the promotion gate then judges its comparison (`run_process`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.heads import Head
from api.core.imaging.hashing import content_hash
from api.core.layout import FAR
from api.core.metrics import evaluate
from api.core.paired_comparison import Contradictions, ModelComparison
from api.evaluation.classification_metrics import (
    precision_recall_curves,
    reliability_bins,
    roc_curves,
)
from api.evaluation.compare_models import ComparedModel, compare_models
from api.evaluation.ood_metrics import OodMargins, ood_metrics
from api.model.backbone import open_backbone
from api.model.engines.litert import LiteRTBackbone
from api.model.manifest import DataFingerprint, Manifest
from api.model.package import BACKBONE, DETECTOR, HEAD, REPLAY, version_name, write_package
from api.model.probe import grade_probe
from api.model.provenance import versions_of
from api.model.replay_buffer import OodSamples, ReplayBuffer
from api.registry.label_rules import ENOUGH_HELD_OUT, check_new_classes
from api.retraining.embed_catalog import build_training_rows
from api.retraining.fast_heads import HEAD_L2, fit_calibrated_head, freshness_to_keep
from api.retraining.held_out import (
    JudgedRows,
    changed_labels,
    judged_rows,
    right_by_key,
    too_few_held_out,
    with_first_judgement,
)
from api.retraining.job import Candidate, RetrainJob
from api.retraining.label_agreement import (
    find_contradictions,
    label_agreement,
    ood_predicted_as,
)
from api.retraining.progress import Stage
from api.retraining.training_rows import TrainingRows

LIBRARIES = ("ai-edge-litert", "numpy", "openvino", "pillow", "scipy")
# How the test rows were chosen, in the manifest.
SPLIT = (
    "test split by photograph: photos that the previous version was measured on and photos of the "
    "catalog, one file each; not seen in training"
)


def make_candidate(job: RetrainJob) -> Candidate:
    """Raises what `build_training_rows` raises."""
    known = job.champion.manifest.classes
    data = build_training_rows(
        job,
        open_backbone(job.champion, job.engine),
        lambda rows: unlearnable_classes(drop_ood_of_new_classes(rows, known), known),
    )
    # Dropped above to judge the new classes, and again for the classes that are left.
    data = drop_ood_of_new_classes(data, known)
    contradicted, contradictions = find_contradictions(
        data, job.champion.head, known, job.image_ids
    )
    data = replace(data, replay=replace(data.replay, contradicted=contradicted))
    freshness = freshness_to_keep(job.champion.head, job.replay, data)
    head = fit_calibrated_head(data, job.progress, known, freshness)
    # `several` reads the feature map of the backbone, which does not change.
    head = replace(head, several=job.champion.head.several)
    job.progress(Stage.COMPARING, 0, 2)
    judged = judged_rows(job.replay, known, data)
    comparison = compare_with_champion(job, data, head, judged, contradictions)
    job.progress(Stage.COMPARING, 1, 2)
    judged_before = judged.rows(~judged.held_out.is_new)
    replay = with_first_judgement(
        data.replay,
        data.classes,
        {
            **right_by_key(head, data.classes, judged),
            # Overrides the line above: the champion was judged by these before.
            **right_by_key(job.champion.head, known, judged_before),
        },
    )
    folder = job.folder / "package"
    manifest = write_candidate(job, replace(data, replay=replay), head, folder)
    return Candidate(folder, manifest, comparison)


def unlearnable_classes(data: TrainingRows, known: tuple[str, ...]) -> list[str]:
    """New classes that the gate would reject by leave-one-out alone.

    Those with enough held-out photos are judged by these, once the heads are fitted.
    """
    agreements = label_agreement(data, known, {}).get("new_classes", {})
    held_out = Counter(data.names[data.test].tolist())
    return [
        name
        for name, agreement in agreements.items()
        if held_out[name] < ENOUGH_HELD_OUT and any(check_new_classes({name: agreement}))
    ]


def drop_ood_of_new_classes(data: TrainingRows, known: tuple[str, ...]) -> TrainingRows:
    """Drop the out-of-distribution (OOD) photos that a simple classifier takes for a new class.

    Photos of other produce in the replay buffer may show the fruit that a user has just added.
    """
    new = [name for name in data.classes if name not in known]
    ood = data.replay.others
    if not new or not len(ood):
        return data
    others = ood.rows(~ood_predicted_as(data, new))
    return replace(data, replay=replace(data.replay, others=others))


def compare_with_champion(
    job: RetrainJob,
    data: TrainingRows,
    head: Head,
    judged: JudgedRows,
    contradictions: Contradictions,
) -> ModelComparison:
    """They share the backbone, so embeddings and speed are equal."""
    replay, known = data.replay, job.champion.manifest.classes
    ood = _held_out_ood(replay).embeddings
    # The champion's, including those that show a new class, so that both models get the same.
    all_ood = job.replay.others.embeddings
    candidate = ComparedModel(data.classes, head, judged.embeddings, ood, all_ood)
    test = replace(candidate, embeddings=replay.embeddings[data.test])
    predictions = test.predictions_by_sha256(replay.sha256[data.test])
    few = too_few_held_out(judged.held_out, known, data.classes)
    return compare_models(
        ComparedModel(known, job.champion.head, judged.embeddings, ood, all_ood),
        candidate,
        judged.held_out,
        changed_labels=changed_labels(job.replay, known, job.photos),
        contradictions=contradictions,
        **label_agreement(data, known, predictions, few),
    )


def write_candidate(job: RetrainJob, data: TrainingRows, head: Head, folder: Path) -> Manifest:
    """Write a package with the champion's backbone and the new head to `folder`.

    Its metrics are on the test rows.
    """
    champion = job.champion.manifest
    created = datetime.now(UTC).replace(microsecond=0)
    added_parameters = head.parameters - job.champion.head.parameters

    # The version and the manifest need the hashes of the files, so these are written first.
    def fill(part: Path) -> None:
        (part / BACKBONE).write_bytes(job.champion.backbone)
        head.save(part / HEAD)
        data.replay.save(part / REPLAY)
        if job.champion.detector is not None:
            (part / DETECTOR).write_bytes(job.champion.detector)

    def describe(files: dict[str, str]) -> Manifest:
        return champion.model_copy(
            update={
                "version": version_name(created, files),
                "parent": champion.version,
                "started_by": job.started_by,
                "created_at": created,
                "grader_created_at": None,
                "classes": data.classes,
                "parameters": champion.parameters + added_parameters,
                "metrics": measure_head(data, head),
                "thresholds": head.thresholds,
                "data": data_fingerprint(data.replay),
                "recipe": {**champion.recipe, "head_l2": HEAD_L2, "mode": "fast"},
                "versions": versions_of(LIBRARIES),
                "files": files,
                "probe": grade_probe(
                    LiteRTBackbone(job.champion.backbone), head, champion.input_size
                ),
            }
        )

    return write_package(folder, fill, describe)


def measure_head(data: TrainingRows, head: Head) -> dict[str, Any]:
    """Metrics on the test rows, JSON-ready; empty without any."""
    replay, test = data.replay, data.test
    if not test.any():
        return {}
    embeddings, labels = replay.embeddings[test], data.labels[test]
    photographs = replay.photographs[test].tolist()
    probabilities = head.probabilities(embeddings)
    threshold = np.float32(head.ood.threshold)

    def margins(embeddings: NDArray[np.float32], groups: Sequence[str]) -> OodMargins:
        return OodMargins(head.ood_score(embeddings) - threshold, groups)

    ood = _held_out_ood(replay)
    is_far = np.char.startswith(ood.groups, FAR)
    near, far = ood.rows(~is_far), ood.rows(is_far)
    return {
        "test_by_photograph": {
            "split": SPLIT,
            **evaluate(probabilities, labels, data.classes, photographs),
            "reliability": reliability_bins(probabilities, labels),
            "roc": roc_curves(probabilities, labels, data.classes),
            "precision_recall": precision_recall_curves(probabilities, labels, data.classes),
        },
        "rejection": ood_metrics(
            margins(embeddings, photographs),
            replay.sources[test].tolist(),
            margins(near.embeddings, near.groups.tolist()),
            margins(far.embeddings, far.groups.tolist()),
            {},
        ),
    }


def data_fingerprint(replay: ReplayBuffer) -> DataFingerprint:
    """Counts of photos and boxes, and a hash over the photos' SHA-256s."""
    boxed = replay.boxed
    return DataFingerprint(
        files=int((~boxed).sum()),
        photographs=len(np.unique(replay.photographs[~boxed])),
        boxed=int(boxed.sum()),
        sha256=content_hash("".join(np.unique(replay.sha256[~boxed])).encode()),
    )


def _held_out_ood(replay: ReplayBuffer) -> OodSamples:
    """OOD photos that neither head was fitted on."""
    return replay.others.rows(replay.others.splits != "train")
