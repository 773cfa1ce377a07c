"""Do new labels agree? How new photographs are graded by a grader that has not seen them.

A linear grader by least squares, for which leaving out needs no second fit: D. M. Allen, "The
Relationship between Variable Selection and Data Augmentation and a Method for Prediction" (1974).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from api.core.paired_comparison import Fit
from api.retraining.training_rows import TrainingRows

# What stands for "none of the classes" among the answers.
NONE = ""
# A few photographs of nothing in particular do not say what is none of the classes.
ENOUGH_OTHERS = 100
# For rows that nobody asked about.
UNASKED = "?"
# The penalty on standardised features; on the default package's photographs this grader is as good
# as the head that serves.
RIDGE = 0.1


def label_agreement(
    material: TrainingRows, known_classes: Sequence[str], answers: Mapping[str, str]
) -> tuple[dict[str, Fit], dict[str, Fit]]:
    """The fit of each new class, and of the new labels of each known one.

    `material` is embedded by the champion's network, which no new label has touched; `answers` are
    the candidate's for test photographs by SHA-256, NONE for what it does not recognise. Of known
    classes only uploads count: corrections were chosen because graders get them wrong.
    """
    names = material.names
    new_class = ~np.isin(names, list(known_classes))
    wanted = new_class | (material.fresh & ~material.chosen)
    if not wanted.any():
        return {}, {}
    rows = material.rows
    graded = left_out_answers(material, wanted)
    # A new class must also be told from what is none of the classes, where enough is known of that.
    told = left_out_answers(material, new_class, with_none=len(rows.others) >= ENOUGH_OTHERS)
    # Each photograph once.
    once = np.zeros(len(names), bool)
    once[np.unique(rows.photographs, return_index=True)[1]] = True

    def fit(name: str) -> Fit:
        own = wanted & once & (names == name)
        held_out = [
            answers[sha256]
            for sha256 in rows.sha256[own & (rows.splits == "test")].tolist()
            if sha256 in answers
        ]
        return Fit(
            left_out=int(own.sum()),
            left_out_right=int((graded[own] == name).sum()),
            held_out=len(held_out),
            held_out_right=held_out.count(name),
            left_out_recognised=int((told[own] != NONE).sum()),
            held_out_recognised=len(held_out) - held_out.count(NONE),
        )

    return _each(fit, names[new_class]), _each(fit, names[wanted & ~new_class])


def left_out_answers(
    material: TrainingRows, wanted: NDArray[np.bool_], *, with_none: bool = False
) -> NDArray[np.str_]:
    """The class of the rows `wanted` [n], each by a grader that learned from all others.

    Strings [n], UNASKED for the rest. `with_none` lets the grader say NONE, too.
    """
    rows, count = material.rows, len(material.names)
    answers = np.full(count, UNASKED, dtype=np.array([*material.classes, UNASKED]).dtype)
    if not wanted.any():
        return answers
    if not with_none:
        found = left_out_classes(rows.embeddings, material.labels, rows.photographs, wanted)
    else:
        found = _with_others(material, np.concatenate([wanted, np.zeros(len(rows.others), bool)]))
    answers[wanted] = np.array([*material.classes, NONE])[found]
    return answers


def others_taken_for(material: TrainingRows, classes: Sequence[str]) -> NDArray[np.bool_]:
    """Which photographs of no class a grader that learned from all others takes for `classes`.

    bool [k].
    """
    count = len(material.rows.others)
    found = _with_others(material, np.repeat([False, True], [len(material.names), count]))
    taken: NDArray[np.bool_] = np.isin(np.array([*material.classes, NONE])[found], list(classes))
    return taken


def _with_others(material: TrainingRows, wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """`left_out_classes` with the photographs of no class [k] behind the rows, as a class more."""
    rows, none = material.rows, len(material.classes)
    own = [f"none {k}" for k in range(len(rows.others))]
    return left_out_classes(
        np.concatenate([rows.embeddings, rows.others.embeddings]),
        np.concatenate([material.labels, np.full(len(own), none)]),
        np.concatenate([rows.photographs, np.array(own, np.str_)]),
        wanted,
    )


def _each(fit: Callable[[str], Fit], names: NDArray[np.str_]) -> dict[str, Fit]:
    return {name: fit(name) for name in np.unique(names).tolist()}


def left_out_classes(
    embeddings: NDArray[np.float32],
    labels: NDArray[np.int64],
    groups: NDArray[np.str_],
    wanted: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The class of each row of `wanted`, by a grader of all rows but those of its group.

    `embeddings` [n, channels], `labels` [n] from 0, `groups` [n] names of photographs, `wanted`
    [n]. Every class has the same say. Gives int64 of as many rows as are wanted, in their order.
    """
    x = embeddings.astype(np.float64)
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-6)
    x = np.hstack([x, np.ones((len(x), 1))])
    truth = np.eye(int(labels.max()) + 1)[labels]
    share = (1 / truth.sum(axis=0).clip(1))[labels]
    share /= share.sum()
    normal = (x * share[:, None]).T @ x + RIDGE * np.eye(x.shape[1])
    inverse = np.linalg.inv(normal)
    fitted = x @ (inverse @ ((x * share[:, None]).T @ truth))
    found = np.empty(len(x), np.int64)
    for name in np.unique(groups[wanted]):
        rows = np.flatnonzero(groups == name)
        own = x[rows]
        leverage = own @ inverse @ (own * share[rows, None]).T
        residual = truth[rows] - fitted[rows]
        without = truth[rows] - np.linalg.solve(np.eye(len(rows)) - leverage, residual)
        found[rows] = without.argmax(axis=1)
    return found[wanted]
