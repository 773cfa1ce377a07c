"""Fast retraining: a new head on embeddings that are there. Seconds, and no TensorFlow."""

import numpy as np
from numpy.typing import NDArray

from api.evaluation.duel import Side, duel
from api.predict.head import Head
from api.predict.litert import LiteRTBackbone
from api.progress import Progress, silent
from api.registry.comparison import Comparison
from api.retrain.candidate import Candidate, Order
from api.retrain.fast_package import write_fast
from api.retrain.material import Material
from api.retrain.newcomers import fits
from api.retrain.prepare import prepare
from api.training.calibrate import fit_temperature
from api.training.head import balance, fit_head
from api.training.reject import choose_threshold, fit_rejection

# Ten times the recipe's: on fixed embeddings as good (docs/LOG.md), and found in half the time.
HEAD_L2 = 1e-2
# With fewer held-out rows, confidence and rejection are set by cross-validation instead.
ENOUGH_VALIDATION = 100
FOLDS = 5
STAGE = "Learning"
COMPARING = "Comparing with the champion"


def make(order: Order) -> Candidate:
    """Make a candidate of the champion's network and a new head.

    Raises what `prepare` raises.
    """
    material = prepare(order, LiteRTBackbone(order.champion.backbone))
    head = learn_head(material, order.progress)
    order.progress(COMPARING, 0, 2)
    comparison = compare(order, material, head)
    order.progress(COMPARING, 1, 2)
    folder = order.folder / "package"
    manifest = write_fast(order, material, head, {"head_l2": HEAD_L2}, folder)
    return Candidate(folder, manifest, comparison)


def compare(order: Order, material: Material, head: Head) -> Comparison:
    """Compare on the test rows; both graders use the same network."""
    rows, known = material.rows, order.champion.manifest.classes
    test = rows.splits == "test"
    seen = rows.embeddings[test]
    candidate = Side(material.classes, head, seen, rows.others)
    said = candidate.predicted().tolist()
    new_classes, new_labels = fits(
        material, known, dict(zip(rows.sha256[test].tolist(), said, strict=True))
    )
    return duel(
        Side(known, order.champion.head, seen, rows.others),
        candidate,
        material.names[test],
        rows.photographs[test],
        milliseconds=None,
        new_classes=new_classes,
        new_labels=new_labels,
    )


def learn_head(material: Material, progress: Progress = silent) -> Head:
    """Learn the head of `material.classes` from its training rows.

    Temperature and rejection are set on its validation rows and on its photographs of no class.
    """
    rows = material.rows
    training, held_out = rows.splits == "train", rows.splits == "validation"
    few = int(held_out.sum()) < ENOUGH_VALIDATION
    steps = 2 + FOLDS * few
    progress(STAGE, 0, steps)
    weights, bias = _fit(material, training)
    progress(STAGE, 1, steps)
    rejection = fit_rejection(rows.embeddings[training], material.labels[training])
    progress(STAGE, 2, steps)
    if few:
        seen = np.flatnonzero(training | held_out)
        logits, familiar = _crossvalidated(material, seen, progress)
        labels = material.labels[seen]
    else:
        logits = rows.embeddings[held_out] @ weights + bias
        familiar = rejection.distance(rows.embeddings[held_out])
        labels = material.labels[held_out]
    temperature = fit_temperature(logits, labels)
    threshold = choose_threshold(familiar, rejection.distance(rows.others))
    return Head(weights, bias, temperature, rejection.with_threshold(threshold))


def _fit(
    material: Material, training: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights and bias by the rows `training` [n] and their views, which share a row's weight."""
    rows = material.rows
    weights = np.zeros(len(rows.targets), np.float32)
    weights[training] = balance(rows.targets[training], ~rows.boxed[training])
    weights /= 1 + np.bincount(rows.view_of, minlength=len(weights))
    views = training[rows.view_of]
    row = np.concatenate([np.flatnonzero(training), rows.view_of[views]])
    seen = [rows.embeddings[training]]
    if views.any():
        seen.append(rows.views[views])
    return fit_head(np.concatenate(seen), rows.targets[row], weights[row], HEAD_L2)


def _crossvalidated(
    material: Material, seen: NDArray[np.int64], progress: Progress
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits [n, classes] and rejection distances [n] of the rows `seen` [n], each by a head that
    learned from other photographs."""
    rows = material.rows
    # By class, so that every fold leaves some photographs of each.
    keys = [f"{n}/{p}" for n, p in zip(material.labels[seen], rows.photographs[seen], strict=True)]
    fold = np.unique(keys, return_inverse=True)[1] % FOLDS
    logits = np.empty((len(seen), len(material.classes)), np.float32)
    distances = np.empty(len(seen), np.float32)
    for k in range(FOLDS):
        out = seen[fold == k]
        learned = np.zeros(len(rows.embeddings), bool)
        learned[seen[fold != k]] = True
        weights, bias = _fit(material, learned)
        logits[fold == k] = rows.embeddings[out] @ weights + bias
        rejection = fit_rejection(rows.embeddings[learned], material.labels[learned])
        distances[fold == k] = rejection.distance(rows.embeddings[out])
        progress(STAGE, 3 + k, 2 + FOLDS)
    return logits, distances
