"""Do the new labels fit the photos? Answered by leave-one-out classification.

A ridge classifier on the champion's embeddings grades each new photo after training on all the
others. Least squares needs no refit for that: D. M. Allen, "The Relationship between Variable
Selection and Data Augmentation and a Method for Prediction" (1974).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from api.core.paired_comparison import LabelAgreement
from api.retraining.training_rows import TrainingRows

# The prediction "none of the classes".
NONE = ""
# With fewer out-of-distribution (OOD) photos, the classifier cannot learn to predict NONE.
MIN_OOD = 100
# Fills rows that were not predicted.
NOT_PREDICTED = "?"
# On standardised features. On the default package's photos the classifier is then as accurate
# as the head that serves.
RIDGE = 0.1


def label_agreement(
    data: TrainingRows, known_classes: Sequence[str], predictions: Mapping[str, str]
) -> tuple[dict[str, LabelAgreement], dict[str, LabelAgreement]]:
    """The agreement for each new class, and for the new labels of each known class.

    `data` must be embedded by the champion's backbone, which no new label has influenced.
    `predictions` are the candidate's on test photos by SHA-256, NONE where not recognised. Of
    known classes only uploads count: corrections are mostly hard photos.
    """
    names = data.names
    is_new_class = ~np.isin(names, list(known_classes))
    evaluated = is_new_class | (data.is_new & ~data.is_correction)
    if not evaluated.any():
        return {}, {}
    replay = data.replay
    left_out = leave_one_out_names(data, evaluated)
    # A new class must also be distinguishable from OOD photos, if there are enough of them.
    left_out_or_none = leave_one_out_names(
        data, is_new_class, with_none=len(replay.others) >= MIN_OOD
    )
    is_first_copy = np.zeros(len(names), bool)
    is_first_copy[np.unique(replay.photographs, return_index=True)[1]] = True

    def agreement(name: str) -> LabelAgreement:
        rows = evaluated & is_first_copy & (names == name)
        held_out = [
            predictions[sha256]
            for sha256 in replay.sha256[rows & (replay.splits == "test")].tolist()
            if sha256 in predictions
        ]
        return LabelAgreement(
            left_out=int(rows.sum()),
            left_out_right=int((left_out[rows] == name).sum()),
            held_out=len(held_out),
            held_out_right=held_out.count(name),
            left_out_recognised=int((left_out_or_none[rows] != NONE).sum()),
            held_out_recognised=len(held_out) - held_out.count(NONE),
        )

    return (
        {name: agreement(name) for name in np.unique(names[is_new_class]).tolist()},
        {name: agreement(name) for name in np.unique(names[evaluated & ~is_new_class]).tolist()},
    )


def leave_one_out_names(
    data: TrainingRows, evaluated: NDArray[np.bool_], *, with_none: bool = False
) -> NDArray[np.str_]:
    """The predicted class name of each row of `evaluated` [n], by leave-one-out.

    Strings [n], NOT_PREDICTED for the other rows. `with_none` adds NONE as one more class.
    """
    replay, count = data.replay, len(data.names)
    names = np.full(count, NOT_PREDICTED, dtype=np.array([*data.classes, NOT_PREDICTED]).dtype)
    if not evaluated.any():
        return names
    if with_none:
        not_evaluated = np.zeros(len(replay.others), bool)
        predicted = _leave_one_out_with_none(data, np.concatenate([evaluated, not_evaluated]))
    else:
        predicted = leave_group_out(replay.embeddings, data.labels, replay.photographs, evaluated)
    names[evaluated] = np.array([*data.classes, NONE])[predicted]
    return names


def ood_predicted_as(data: TrainingRows, classes: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the k OOD photos leave-one-out predicts as one of `classes`: bool [k]."""
    evaluated = np.repeat([False, True], [len(data.names), len(data.replay.others)])
    names = np.array([*data.classes, NONE])[_leave_one_out_with_none(data, evaluated)]
    predicted: NDArray[np.bool_] = np.isin(names, list(classes))
    return predicted


def _leave_one_out_with_none(data: TrainingRows, evaluated: NDArray[np.bool_]) -> NDArray[np.int64]:
    """`leave_group_out` on n rows and then k OOD photos; `evaluated` is [n + k]."""
    replay, none = data.replay, len(data.classes)
    groups = [f"none {k}" for k in range(len(replay.others))]
    return leave_group_out(
        np.concatenate([replay.embeddings, replay.others.embeddings]),
        np.concatenate([data.labels, np.full(len(groups), none)]),
        np.concatenate([replay.photographs, np.array(groups, np.str_)]),
        evaluated,
    )


def leave_group_out(
    embeddings: NDArray[np.float32],
    labels: NDArray[np.int64],
    groups: NDArray[np.str_],
    evaluated: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The label of each row of `evaluated`, predicted from all rows of other groups.

    `embeddings` [n, channels], `labels` [n] from 0, `groups` [n] names of photos, `evaluated`
    bool [n]. Classes have equal weight. Returns int64 [evaluated.sum()], in row order.
    """
    x = embeddings.astype(np.float64)
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-6)
    x = np.hstack([x, np.ones((len(x), 1))])
    targets = np.eye(int(labels.max()) + 1)[labels]
    weights = (1 / targets.sum(axis=0).clip(1))[labels]
    weights /= weights.sum()
    normal = (x * weights[:, None]).T @ x + RIDGE * np.eye(x.shape[1])
    inverse = np.linalg.inv(normal)
    fitted = x @ (inverse @ ((x * weights[:, None]).T @ targets))
    predicted = np.empty(len(x), np.int64)
    for group in np.unique(groups[evaluated]):
        rows = np.flatnonzero(groups == group)
        own = x[rows]
        leverage = own @ inverse @ (own * weights[rows, None]).T
        residual = targets[rows] - fitted[rows]
        left_out = targets[rows] - np.linalg.solve(np.eye(len(rows)) - leverage, residual)
        predicted[rows] = left_out.argmax(axis=1)
    return predicted[evaluated]
