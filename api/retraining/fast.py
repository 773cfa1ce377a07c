"""Fast retraining: new heads on embeddings that are there. Seconds, and no TensorFlow."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from api.core.heads import Head, Linear
from api.core.labels import read_label
from api.core.paired_comparison import Comparison
from api.core.progress import Progress, silent
from api.evaluation.compare_models import Side, compare_models
from api.model.litert import LiteRTBackbone
from api.model.replay_buffer import Others
from api.retraining.candidate import Candidate, RetrainJob
from api.retraining.fast_package import write_fast
from api.retraining.label_agreement import label_agreement, others_taken_for
from api.retraining.prepare import prepare
from api.retraining.training_rows import SURE_TARGET, TrainingRows
from api.training.balance import balanced_weights
from api.training.finish import FittedHeads, Logits, Truth, finish_head, freshness_of_levels
from api.training.heads import fit_freshness, fit_head, kind_targets, parts_of
from api.training.ood import fit_ood, with_means_of

# Ten times the recipe's: on fixed embeddings as good, in half the time (docs/log/retraining.md).
HEAD_L2 = 1e-2
# With fewer held-out rows, confidence and rejection are set by cross-validation instead.
ENOUGH_VALIDATION = 100
FOLDS = 5
STAGE = "Learning"
COMPARING = "Comparing with the champion"


def make(order: RetrainJob) -> Candidate:
    """Make a candidate of the champion's network and new heads.

    Raises what `prepare` raises.
    """
    known = order.champion.manifest.classes
    material = without_newly_known(prepare(order, LiteRTBackbone(order.champion.backbone)), known)
    head = learn_head(material, order.progress, known)
    order.progress(COMPARING, 0, 2)
    comparison = compare(order, material, head)
    order.progress(COMPARING, 1, 2)
    folder = order.folder / "package"
    manifest = write_fast(order, material, head, {"head_l2": HEAD_L2}, folder)
    return Candidate(folder, manifest, comparison)


def compare(order: RetrainJob, material: TrainingRows, head: Head) -> Comparison:
    """Compare on the test rows; both graders use the same network."""
    rows, known = material.rows, order.champion.manifest.classes
    test = material.test
    seen = rows.embeddings[test]
    # Those that neither has learned from, where there are such.
    others = rows.others.rows(rows.others.splits != "train").embeddings
    candidate = Side(material.classes, head, seen, others)
    new_classes, new_labels = label_agreement(material, known, candidate.answers(rows.sha256[test]))
    return compare_models(
        Side(known, order.champion.head, seen, others),
        candidate,
        material.names[test],
        rows.photographs[test],
        milliseconds=None,
        new_classes=new_classes,
        new_labels=new_labels,
    )


def without_newly_known(material: TrainingRows, known: tuple[str, ...]) -> TrainingRows:
    """Leave out those photographs of no class that show a class which is new to `known`.

    What the shipped material calls none of the fruits may be just what a person has added. It goes
    where a simple grader that learned from all others takes it for a new class.
    """
    new = [name for name in material.classes if name not in known]
    if not new or not len(material.rows.others):
        return material
    taken = others_taken_for(material, new)
    rows = replace(material.rows, others=material.rows.others.rows(~taken))
    return replace(material, rows=rows)


def learn_head(
    material: TrainingRows, progress: Progress = silent, known: tuple[str, ...] = ()
) -> Head:
    """Learn the head of `material.classes` from its training rows.

    Temperatures, levels and rejection are set on its validation rows; of classes that are not
    among `known`, also on what graders say that have not seen the photograph.
    """
    rows, classes = material.rows, material.classes
    training, held_out = rows.splits == "train", rows.splits == "validation"
    few = int(held_out.sum()) < ENOUGH_VALIDATION
    new_classes = [k for k, name in enumerate(classes) if known and name not in known]
    steps = 1 + FOLDS * (few or bool(new_classes))
    progress(STAGE, 0, steps)
    learned = _fit(material, training)
    progress(STAGE, 1, steps)
    seen = np.flatnonzero(held_out)
    said = learned.logits(rows.embeddings[seen])
    new: list[NDArray[np.float32]] = []
    if few or new_classes:
        crossed = np.flatnonzero(training | held_out)
        if not few:
            crossed = crossed[np.isin(material.labels[crossed], new_classes)]
        fit = _fit if few else _fit_kinds
        answers = _crossvalidated(
            material, crossed, lambda own: fit(material, own, learned), progress
        )
        new = [answers.ood[material.labels[crossed] == k] for k in new_classes]
        if few:
            seen, said = crossed, answers
    truth = Truth(rows.targets[seen], material.levels[seen], rows.sources[seen].tolist())
    return finish_head(learned, said, truth, new)


@dataclass(frozen=True)
class _Lessons:
    """What heads are fitted to, n embeddings: of rows, of their views, and of no class.

    `embeddings` float32 [n, channels], `wanted` float32 [n, kinds and perhaps none], `freshness`
    float32 [n] and `weights` float32 [n]. `graded` says whether rows of both levels are there:
    others alone would teach nothing of the classes.
    """

    embeddings: NDArray[np.float32]
    wanted: NDArray[np.float32]
    freshness: NDArray[np.float32]
    weights: NDArray[np.float32]
    graded: bool

    @classmethod
    def of(cls, material: TrainingRows, training: NDArray[np.bool_]) -> "_Lessons":
        """The rows `training` [n], their views, which share a row's weight, and the others."""
        rows = material.rows
        others = rows.others.rows(rows.others.splits == "train")
        own = np.flatnonzero(training)
        row_weights = balanced_weights(*_balance_keys(material, own, others))
        weights = np.zeros(len(rows.targets), np.float32)
        weights[own] = row_weights[: len(own)]
        weights /= 1 + np.bincount(rows.view_of, minlength=len(weights))
        views = training[rows.view_of]
        row = np.concatenate([own, rows.view_of[views]]).astype(np.int64)
        seen = [rows.embeddings[own], *([rows.views[views]] if views.any() else [])]
        of_rows = freshness_of_levels(material.levels)
        graded = {0.0, 1.0} <= set(of_rows[own].tolist())
        kind_of, _ = parts_of(material.classes, graded)
        none = np.zeros((len(others), len(material.classes)), np.float32)
        return cls(
            embeddings=np.concatenate([*seen, others.embeddings]),
            wanted=kind_targets(np.concatenate([rows.targets[row], none]), kind_of),
            freshness=np.concatenate([of_rows[row], others.freshness]),
            weights=np.concatenate([weights[row], row_weights[len(own) :]]),
            graded=graded,
        )

    def fit_kinds(self, start: FittedHeads | None) -> Linear:
        same = start and start.kinds.weights.shape[1] == self.wanted.shape[1]
        first = start.kinds if start and same else None
        return fit_head(self.embeddings, self.wanted, self.weights, HEAD_L2, first)

    def fit_freshness(self) -> Linear | None:
        if not self.graded:
            return None
        return fit_freshness(self.embeddings, self.freshness, self.weights, HEAD_L2)


def _fit(
    material: TrainingRows, training: NDArray[np.bool_], start: FittedHeads | None = None
) -> FittedHeads:
    """Both heads and the statistics by the rows `training` [n]; a `start` saves time."""
    lessons = _Lessons.of(material, training)
    own = material.rows.embeddings[training]
    return FittedHeads(
        material.classes,
        kinds=lessons.fit_kinds(start),
        freshness=lessons.fit_freshness(),
        ood=fit_ood(own, material.labels[training]),
    )


def _fit_kinds(
    material: TrainingRows, training: NDArray[np.bool_], learned: FittedHeads
) -> FittedHeads:
    """`learned` with kinds and class means by the rows `training` [n].

    How fresh a fruit is, and how widely photographs spread, a few rows more or less do not change.
    """
    return replace(
        learned,
        kinds=_Lessons.of(material, training).fit_kinds(learned),
        ood=with_means_of(
            learned.ood, material.rows.embeddings[training], material.labels[training]
        ),
    )


def _balance_keys(
    material: TrainingRows, own: NDArray[np.int64], others: Others
) -> tuple[list[str], list[str], list[str]]:
    """Source, label and kind, as `balanced_weights` takes them, of rows and then of others."""
    rows, names = material.rows, material.names
    sure = rows.targets.max(axis=1) > SURE_TARGET
    kinds = [read_label(str(name)).fruit for name in names[own]]
    labels = [str(names[k]) if sure[k] else kind for k, kind in zip(own, kinds, strict=True)]
    sides = [str(group).partition("/")[0] for group in others.groups]
    of_others = [f"{side} {fresh}" for side, fresh in zip(sides, others.freshness, strict=True)]
    nothing = [""] * len(others)
    return (
        [*rows.sources[own].tolist(), *nothing],
        [*labels, *of_others],
        [*kinds, *nothing],
    )


def _crossvalidated(
    material: TrainingRows,
    seen: NDArray[np.int64],
    fit: Callable[[NDArray[np.bool_]], FittedHeads],
    progress: Progress,
) -> Logits:
    """What is said of the rows `seen` [n], each by heads that are `fit` to other photographs."""
    rows = material.rows
    parts: list[Logits] = []
    order: list[NDArray[np.int64]] = []
    for k, out in enumerate(_folds(material, seen)):
        training = rows.splits != "test"
        training[seen[out]] = False
        # Rows that stay must not be of a photograph that is held out.
        training &= ~np.isin(rows.photographs, rows.photographs[seen[out]])
        parts.append(fit(training).logits(rows.embeddings[seen[out]]))
        order.append(out)
        progress(STAGE, 2 + k, 1 + FOLDS)
    back = np.argsort(np.concatenate(order))
    fresh = [part.freshness for part in parts if part.freshness is not None]
    return Logits(
        kinds=np.concatenate([part.kinds for part in parts])[back],
        freshness=np.concatenate(fresh)[back] if len(fresh) == len(parts) else None,
        ood=np.concatenate([part.ood for part in parts])[back],
    )


def _folds(material: TrainingRows, seen: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Positions in `seen` [n], fold by fold; by class, so that every fold leaves some of each."""
    photographs = material.rows.photographs[seen]
    keys = [f"{n}/{p}" for n, p in zip(material.labels[seen], photographs, strict=True)]
    fold = np.unique(keys, return_inverse=True)[1] % FOLDS
    for k in range(FOLDS):
        out = np.flatnonzero(fold == k)
        if len(out):
            yield out
