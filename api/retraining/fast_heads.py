"""Fits the heads of a fast retraining on embeddings, and calibrates them.

1. Fit the kinds head, the freshness head and the out-of-distribution (OOD) detector on train rows.
2. Predict held-out rows: the validation rows, or, if they are few, train and validation rows by
   cross-validation. Rows of a new class are always cross-validated, for the OOD threshold.
3. Set temperatures, freshness levels and the OOD threshold by these predictions, without rows
   whose label contradicted the champion when they were new.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from api.core.heads import Head, Linear
from api.core.labels import UNKNOWN, read_label
from api.core.progress import Progress, silent
from api.model.replay_buffer import OodSamples, ReplayBuffer
from api.retraining.progress import Stage
from api.retraining.training_rows import TrainingRows
from api.training.balance import balanced_weights
from api.training.heads import (
    GroundTruth,
    HeadLogits,
    calibrate_head,
    fit_freshness,
    fit_head,
    freshness_of_levels,
    kind_targets,
    kinds_and_parts,
    uncalibrated_head,
)
from api.training.ood import fit_ood, with_class_means

# Ten times the recipe's: as accurate on fixed embeddings, and fitted in 1.5 s instead of 3.5
# (docs/log/retraining.md).
HEAD_L2 = 1e-2
# With fewer validation rows, calibration is by cross-validation.
MIN_VALIDATION = 100
FOLDS = 5


def fit_calibrated_head(
    data: TrainingRows,
    progress: Progress = silent,
    known: tuple[str, ...] = (),
    freshness: Linear | None = None,
) -> Head:
    """Fit a head for `data.classes`. Classes that are not among `known`, if given, are new.

    A `freshness` head is kept, not refitted, unless there are too few validation rows to calibrate
    it.
    """
    replay = data.replay
    train, validation = replay.splits == "train", replay.splits == "validation"
    few_validation = int(validation.sum()) < MIN_VALIDATION
    new_classes = [label for label, name in enumerate(data.classes) if known and name not in known]
    steps = 1 + (FOLDS if few_validation or new_classes else 0)

    progress(Stage.FITTING, 0, steps)
    heads = _fit(data, train, freshness=None if few_validation else freshness)
    progress(Stage.FITTING, 1, steps)

    rows = np.flatnonzero(train | validation)
    new_class_scores: list[NDArray[np.float32]] = []
    if few_validation:
        held_out = rows
        logits = _cross_validate(data, rows, _fit, heads, progress)
        new_class_scores = [logits.ood[data.labels[rows] == label] for label in new_classes]
    else:
        held_out = np.flatnonzero(validation)
        logits = HeadLogits.of(heads, replay.embeddings[held_out])
        if new_classes:
            rows = rows[np.isin(data.labels[rows], new_classes)]
            ood = _cross_validate(data, rows, _refit_kinds, heads, progress).ood
            new_class_scores = [ood[data.labels[rows] == label] for label in new_classes]

    # A few wrong labels among the validation rows would move thresholds and temperatures.
    trusted = ~replay.contradicted[held_out]
    held_out = held_out[trusted]
    truth = GroundTruth(
        replay.targets[held_out], data.levels[held_out], replay.sources[held_out].tolist()
    )
    return calibrate_head(heads, logits.rows(trusted), truth, new_class_scores)


@dataclass(frozen=True)
class _Examples:
    """What heads are fitted to: embeddings of rows, of their augmented views, and of OOD photos.

    `embeddings` float32 [n, channels]; `kind_targets` float32 [n, kinds], with one more column for
    "none of them" where needed; `freshness` float32 [n], 1 (not rotten), 0 (rotten) or NaN
    (unknown); `weights` float32 [n]. `has_levels`: the rows, not only the OOD photos, have both
    fresh and rotten fruit.
    """

    embeddings: NDArray[np.float32]
    kind_targets: NDArray[np.float32]
    freshness: NDArray[np.float32]
    weights: NDArray[np.float32]
    has_levels: bool

    @classmethod
    def of(cls, data: TrainingRows, train: NDArray[np.bool_]) -> "_Examples":
        """The rows `train` bool [n], then their views, then the OOD photos of the train split."""
        replay = data.replay
        ood = replay.others.rows(replay.others.splits == "train")
        rows = np.flatnonzero(train)
        balanced = balanced_weights(*_balance_keys(data, rows, ood))
        row_weights = np.zeros(len(replay.targets), np.float32)
        row_weights[rows] = balanced[: len(rows)]
        # A row and its views share its weight.
        row_weights /= 1 + np.bincount(replay.view_of, minlength=len(row_weights))
        is_train_view = train[replay.view_of]
        views = [replay.views[is_train_view]] if is_train_view.any() else []
        # The row that each example comes from, except OOD photos.
        row_of = np.concatenate([rows, replay.view_of[is_train_view]]).astype(np.int64)
        freshness = freshness_of_levels(data.levels)
        has_levels = {0.0, 1.0} <= set(freshness[rows].tolist())
        kind_of, _ = kinds_and_parts(data.classes, has_levels)
        no_class = np.zeros((len(ood), len(data.classes)), np.float32)
        return cls(
            embeddings=np.concatenate([replay.embeddings[rows], *views, ood.embeddings]),
            kind_targets=kind_targets(np.concatenate([replay.targets[row_of], no_class]), kind_of),
            freshness=np.concatenate([freshness[row_of], ood.freshness]),
            weights=np.concatenate([row_weights[row_of], balanced[len(rows) :]]),
            has_levels=has_levels,
        )

    def fit_kinds(self, start: Head | None) -> Linear:
        """`start` is a warm start, ignored if it has other outputs."""
        warm = start.kinds if start else None
        if warm and warm.weights.shape[1] != self.kind_targets.shape[1]:
            warm = None
        return fit_head(self.embeddings, self.kind_targets, self.weights, HEAD_L2, start=warm)


def _fit(
    data: TrainingRows,
    train: NDArray[np.bool_],
    start: Head | None = None,
    freshness: Linear | None = None,
) -> Head:
    """Both heads and the OOD detector, fitted on the rows `train` bool [n]; a given `freshness`
    head is kept."""
    examples = _Examples.of(data, train)
    if not examples.has_levels:
        freshness = None
    elif freshness is None:
        freshness = fit_freshness(
            examples.embeddings, examples.freshness, examples.weights, HEAD_L2
        )
    return uncalibrated_head(
        data.classes,
        kinds=examples.fit_kinds(start),
        freshness=freshness,
        ood=fit_ood(data.replay.embeddings[train], data.labels[train]),
    )


def freshness_to_keep(champion: Head, learned: ReplayBuffer, data: TrainingRows) -> Linear | None:
    """The champion's freshness head, unless photos were removed, or some with a level are new.

    Full training teaches it views that the rows do not show, such as drawn decay. Refitted, it
    loses seven points on sources that it has not seen (docs/log/retraining.md). `learned` are the
    champion's rows.
    """
    if champion.freshness is None or (data.levels[data.is_new] != UNKNOWN).any():
        return None
    went = set(learned.photographs.tolist()) - set(data.replay.photographs.tolist())
    return None if went else champion.freshness.linear


def _refit_kinds(data: TrainingRows, train: NDArray[np.bool_], heads: Head) -> Head:
    """`heads` with the kinds head and class means refitted on the rows `train` bool [n].

    Holding out a few rows changes neither the freshness head nor the covariance of embeddings.
    """
    means = with_class_means(heads.ood, data.replay.embeddings[train], data.labels[train])
    return replace(heads, kinds=_Examples.of(data, train).fit_kinds(heads), ood=means)


def _balance_keys(
    data: TrainingRows, rows: NDArray[np.int64], ood: OodSamples
) -> tuple[list[str], list[str], list[str]]:
    """The arguments of `balanced_weights` for `rows` [n] and then the OOD photos.

    Groups as `balance_keys` of `api.training.samples` does, but OOD photos have no source here.
    """
    names, is_sure = data.names[rows].tolist(), data.is_sure[rows].tolist()
    kinds = [read_label(name).fruit for name in names]
    labels = [
        name if sure else kind for name, sure, kind in zip(names, is_sure, kinds, strict=True)
    ]
    sides = [str(group).partition("/")[0] for group in ood.groups]
    ood_labels = [f"{side} {fresh}" for side, fresh in zip(sides, ood.freshness, strict=True)]
    none = [""] * len(ood)
    sources = data.replay.sources[rows].tolist()
    return [*sources, *none], [*labels, *ood_labels], [*kinds, *none]


def _cross_validate(
    data: TrainingRows,
    rows: NDArray[np.int64],
    refit: Callable[[TrainingRows, NDArray[np.bool_], Head], Head],
    heads: Head,
    progress: Progress,
) -> HeadLogits:
    """Logits of `rows` [n], each by heads that were fitted without the row's photo.

    `refit` starts from `heads`.
    """
    replay, folds = data.replay, _folds(data, rows)
    parts: list[HeadLogits] = []
    for fold in range(folds.max() + 1):
        held_out = rows[folds == fold]
        # Validation rows are trained on too: no row is judged by heads that have seen it.
        train = replay.splits != "test"
        train[held_out] = False
        # Nor are heads fitted on other boxes of its photo, unless their class has no other row.
        apart = train & ~np.isin(replay.photographs, replay.photographs[held_out])
        train = apart | (train & ~np.isin(data.labels, data.labels[apart & data.is_sure]))
        parts.append(HeadLogits.of(refit(data, train, heads), replay.embeddings[held_out]))
        progress(Stage.FITTING, 2 + fold, 1 + FOLDS)
    # The parts are in the order of the folds; this is the inverse of that sort.
    in_row_order = np.argsort(np.argsort(folds, kind="stable"))
    freshness = [part.freshness for part in parts if part.freshness is not None]
    return HeadLogits(
        kinds=np.concatenate([part.kinds for part in parts])[in_row_order],
        freshness=(
            np.concatenate(freshness)[in_row_order] if len(freshness) == len(parts) else None
        ),
        ood=np.concatenate([part.ood for part in parts])[in_row_order],
    )


def _folds(data: TrainingRows, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The fold of each of `rows`, int64 [n]: rows of the same photo and class share one, and each
    class is spread evenly."""
    photographs = data.replay.photographs[rows]
    # Sorted by class first, so that the remainder spreads each class evenly.
    keys = [f"{label}/{name}" for label, name in zip(data.labels[rows], photographs, strict=True)]
    return np.unique(keys, return_inverse=True)[1] % FOLDS
