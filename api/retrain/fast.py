"""Fast retraining: a new head on embeddings that are there. Seconds, and no TensorFlow."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from api.evaluation.duel import Side, duel
from api.predict.head import Expert, Head, Linear, opening
from api.predict.litert import LiteRTBackbone
from api.progress import Progress, silent
from api.registry.comparison import Comparison
from api.retrain.candidate import Candidate, Order
from api.retrain.fast_package import write_fast
from api.retrain.material import Material
from api.retrain.newcomers import fits
from api.retrain.prepare import prepare
from api.training.calibrate import fit_temperature
from api.training.expert import fit_classifier, fit_own_temperature
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
    known = order.champion.manifest.classes
    expert = carried(order.champion.head.expert, known, material.classes)
    head = learn_head(material, order.progress, expert)
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


def carried(expert: Expert | None, before: Sequence[str], after: Sequence[str]) -> Expert | None:
    """The champion's expert, whose classes are `before`, over the classes `after`: of a class that
    is new it says nothing yet."""
    if expert is None:
        return None
    old = expert.classifier
    weights = np.zeros((len(old.weights), len(after)), np.float32)
    bias = np.zeros(len(after), np.float32)
    for column, name in enumerate(after):
        if name in before:
            weights[:, column] = old.weights[:, before.index(name)]
            bias[column] = old.bias[before.index(name)]
    return replace(expert, classifier=Linear(weights, bias))


def learn_head(
    material: Material, progress: Progress = silent, expert: Expert | None = None
) -> Head:
    """Learn the head of `material.classes` from its training rows.

    Temperature and rejection are set on its validation rows and on its photographs of no class.
    The `expert` of the champion learns what is new besides what it knows: of each photograph it
    has seen all saved copies, of which there is one row here.
    """
    rows = material.rows
    training, held_out = rows.splits == "train", rows.splits == "validation"
    few = int(held_out.sum()) < ENOUGH_VALIDATION
    steps = 2 + FOLDS * few
    progress(STAGE, 0, steps)
    learned = _fit(material, training, expert)
    progress(STAGE, 1, steps)
    rejection = fit_rejection(rows.embeddings[training], material.labels[training])
    progress(STAGE, 2, steps)
    if few:
        seen = np.flatnonzero(training | held_out)
        said, familiar = _crossvalidated(material, seen, expert, progress)
    else:
        seen = np.flatnonzero(held_out)
        said = _said(learned, expert, rows.embeddings[seen])
        familiar = rejection.distance(rows.embeddings[seen])
    labels = material.labels[seen]
    threshold = choose_threshold(familiar, rejection.distance(rows.others))
    if expert is not None:
        temperature = fit_own_temperature(said[1], labels, opening(rows.embeddings[seen]))
        expert = replace(expert, classifier=learned[1], temperature=temperature)
    return Head(
        learned[0].weights,
        learned[0].bias,
        fit_temperature(said[0], labels),
        rejection.with_threshold(threshold),
        expert,
    )


def _fit(
    material: Material, training: NDArray[np.bool_], expert: Expert | None
) -> tuple[Linear, ...]:
    """The classifier, and that of the expert where there is one, by the rows `training` [n] and
    their views, which share a row's weight."""
    rows = material.rows
    weights = np.zeros(len(rows.targets), np.float32)
    weights[training] = balance(rows.targets[training], ~rows.boxed[training])
    weights /= 1 + np.bincount(rows.view_of, minlength=len(weights))
    views = training[rows.view_of]
    row = np.concatenate([np.flatnonzero(training), rows.view_of[views]])
    seen = rows.embeddings[training]
    if views.any():
        seen = np.concatenate([seen, rows.views[views]])
    if expert is None:
        return (fit_head(seen, rows.targets[row], weights[row], HEAD_L2),)
    return (
        fit_head(seen[:, : -expert.channels], rows.targets[row], weights[row], HEAD_L2),
        fit_classifier(
            opening(seen),
            expert.texture(seen),
            rows.targets[row],
            weights[row],
            around=expert.classifier,
        ),
    )


def _said(
    classifiers: Sequence[Linear], expert: Expert | None, embeddings: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Logits float32 [classifiers, n, classes] of what `_fit` gave."""
    parts = [embeddings[:, : len(classifiers[0].weights)]]
    if expert is not None:
        parts.append(expert.texture(embeddings))
    return np.stack([one(seen) for one, seen in zip(classifiers, parts, strict=True)])


def _crossvalidated(
    material: Material, seen: NDArray[np.int64], expert: Expert | None, progress: Progress
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What `_said` gives and rejection distances [n] of the rows `seen` [n], each by classifiers
    that learned from other photographs."""
    rows = material.rows
    # The champion's has learned from the very photographs that are held out here.
    expert = carried(expert, (), material.classes)
    # By class, so that every fold leaves some photographs of each.
    keys = [f"{n}/{p}" for n, p in zip(material.labels[seen], rows.photographs[seen], strict=True)]
    fold = np.unique(keys, return_inverse=True)[1] % FOLDS
    logits = np.empty((2 if expert else 1, len(seen), len(material.classes)), np.float32)
    distances = np.empty(len(seen), np.float32)
    for k in range(FOLDS):
        out = seen[fold == k]
        learned = np.zeros(len(rows.embeddings), bool)
        learned[seen[fold != k]] = True
        fitted = _fit(material, learned, expert)
        logits[:, fold == k] = _said(fitted, expert, rows.embeddings[out])
        rejection = fit_rejection(rows.embeddings[learned], material.labels[learned])
        distances[fold == k] = rejection.distance(rows.embeddings[out])
        progress(STAGE, 3 + k, 2 + FOLDS)
    return logits, distances
