"""The package of a fast retraining: the champion's network, a new head, figures of its own."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.heads import Head
from api.core.layout import FAR
from api.core.metrics import evaluate
from api.evaluation.curves import precision_recall_curves, reliability, roc_curves
from api.evaluation.rejection import Margins, rejection_figures
from api.model.manifest import DataFingerprint, Manifest
from api.model.package import BACKBONE, HEAD, REPLAY, version_name, write_package
from api.model.replay_buffer import Replay
from api.retraining.candidate import RetrainJob
from api.retraining.training_rows import TrainingRows

LIBRARIES = ("ai-edge-litert", "numpy", "pillow", "scipy")
SPLIT = (
    "test split by photograph, of what the version before was measured on and of the catalog, "
    "one file each; not seen in training"
)


def write_fast(
    order: RetrainJob, material: TrainingRows, head: Head, knobs: dict[str, Any], folder: Path
) -> Manifest:
    """Write the package to `folder`; `knobs` join the champion's recipe."""
    before, network = order.champion.manifest, order.champion.backbone
    created = datetime.now(UTC).replace(microsecond=0)
    grown = head.parameters - order.champion.head.parameters

    def fill(part: Path) -> None:
        (part / BACKBONE).write_bytes(network)
        head.save(part / HEAD)
        material.rows.save(part / REPLAY)

    def describe(files: dict[str, str]) -> Manifest:
        return before.model_copy(
            update={
                "version": version_name(created, files),
                "parent": before.version,
                "started_by": order.started_by,
                "created_at": created,
                "classes": material.classes,
                "parameters": before.parameters + grown,
                "metrics": measured(material, head),
                "thresholds": head.thresholds,
                "data": fingerprint(material.rows),
                "recipe": {**before.recipe, **knobs, "mode": "fast"},
                "versions": {name: version(name) for name in LIBRARIES},
                "files": files,
            }
        )

    return write_package(folder, fill, describe)


def measured(material: TrainingRows, head: Head) -> dict[str, Any]:
    """Figures on the test rows, JSON-ready; none where there are none."""
    rows = material.rows
    test = material.test
    if not test.any():
        return {}
    seen, labels = rows.embeddings[test], material.labels[test]
    photographs = rows.photographs[test].tolist()
    probabilities = head.probabilities(seen)
    threshold = np.float32(head.ood.threshold)

    def margins(embeddings: NDArray[np.float32], groups: Sequence[str]) -> Margins:
        return Margins(head.ood_score(embeddings) - threshold, groups)

    # Those that heads have not learned from.
    others = rows.others.rows(rows.others.splits != "train")
    is_far = np.char.startswith(others.groups, FAR)
    near, far = others.rows(~is_far), others.rows(is_far)
    return {
        "test_by_photograph": {
            "split": SPLIT,
            **evaluate(probabilities, labels, material.classes, photographs),
            "reliability": reliability(probabilities, labels),
            "roc": roc_curves(probabilities, labels, material.classes),
            "precision_recall": precision_recall_curves(probabilities, labels, material.classes),
        },
        "rejection": rejection_figures(
            margins(seen, photographs),
            rows.sources[test].tolist(),
            margins(near.embeddings, near.groups.tolist()),
            margins(far.embeddings, far.groups.tolist()),
            {},
        ),
    }


def fingerprint(rows: Replay) -> DataFingerprint:
    """Of the photographs that the rows show."""
    digest = hashlib.sha256()
    for sha256 in sorted(set(rows.sha256[~rows.boxed].tolist())):
        digest.update(sha256.encode())
    return DataFingerprint(
        files=int((~rows.boxed).sum()),
        photographs=len(set(rows.photographs[~rows.boxed].tolist())),
        boxed=int(rows.boxed.sum()),
        sha256=digest.hexdigest(),
    )
