"""Do the new labels fit the photos? A check by leave-one-out classification.

A ridge classifier on the champion's embeddings grades each new photo after training on all other
photos. Least squares needs no refit for that: D. M. Allen, "The Relationship between Variable
Selection and Data Augmentation and a Method for Prediction" (1974).
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from api.core.heads import Head
from api.core.paired_comparison import Contradictions, LabelAgreement
from api.retraining.training_rows import TrainingRows

# The prediction "none of the classes".
NONE = ""
# With fewer out-of-distribution (OOD) photos, the classifier cannot learn to tell them apart.
MIN_OOD = 100
# On standardised features. With it, the classifier is as accurate on the default package's photos
# as the package's own head.
RIDGE = 0.1
# From this confidence on, the champion counts as sure.
CONFIDENT = 0.9
NEIGHBOURS = 5
# Contradicted photos that a verdict lists.
MAX_SHOWN = 24


def label_agreement(
    data: TrainingRows,
    known_classes: Sequence[str],
    predictions: Mapping[str, str],
    few_held_out: Collection[str] = (),
) -> dict[str, dict[str, LabelAgreement]]:
    """The agreement for each of `new_classes`, for the `new_labels` of each known class, and for
    all photos of the classes `few_held_out`; keys as the fields of `ModelComparison`.

    `data` must be embedded by the champion's backbone, which no new label has influenced.
    `predictions` are the candidate's on test photos by SHA-256, NONE where not recognised. For
    known classes only uploads count, since corrections are mostly hard photos.
    """
    names = data.names
    is_new_class = ~np.isin(names, list(known_classes))
    new_labels = ~is_new_class & data.is_new & ~data.is_correction
    is_few = np.isin(names, list(few_held_out)) & ~is_new_class
    evaluated = is_new_class | new_labels | is_few
    if not evaluated.any():
        return {}
    replay = data.replay
    is_right = np.zeros(len(names), bool)
    left_out = leave_group_out(replay.embeddings, data.labels, replay.photographs, evaluated)
    is_right[evaluated] = left_out == data.labels[evaluated]
    # A new class must also be distinguishable from OOD photos, if there are enough of them.
    is_recognised = np.ones(len(names), bool)
    if is_new_class.any() and len(replay.others) >= MIN_OOD:
        with_ood = np.concatenate([is_new_class, np.zeros(len(replay.others), bool)])
        is_recognised[is_new_class] = _leave_one_out_with_ood(data, with_ood) < len(data.classes)
    is_first_copy = np.zeros(len(names), bool)
    is_first_copy[np.unique(replay.photographs, return_index=True)[1]] = True

    def agreement(name: str, wanted: NDArray[np.bool_]) -> LabelAgreement:
        rows = wanted & is_first_copy & (names == name)
        held_out = [
            predictions[sha256]
            for sha256 in replay.sha256[rows & (replay.splits == "test")].tolist()
            if sha256 in predictions
        ]
        return LabelAgreement(
            left_out=int(rows.sum()),
            left_out_right=int(is_right[rows].sum()),
            held_out=len(held_out),
            held_out_right=held_out.count(name),
            left_out_recognised=int(is_recognised[rows].sum()),
            held_out_recognised=len(held_out) - held_out.count(NONE),
        )

    groups = {"new_classes": is_new_class, "new_labels": new_labels, "few_held_out": is_few}
    return {
        field: {name: agreement(name, rows) for name in np.unique(names[rows]).tolist()}
        for field, rows in groups.items()
    }


def find_contradictions(
    data: TrainingRows,
    champion: Head,
    known_classes: Sequence[str],
    image_ids: Mapping[str, str],
) -> tuple[NDArray[np.bool_], Contradictions]:
    """The rows, bool [n], whose label differs from the champion's grade, now or when they were new.

    `image_ids` are by SHA-256. A photo lies in a cluster if at least half of the NEIGHBOURS catalog
    photos with its label that look most like it contradict the champion as well.
    """
    replay = data.replay
    probabilities = champion.probabilities(replay.embeddings)
    predicted = np.array(known_classes)[probabilities.argmax(axis=1)]
    candidates = data.is_new & replay.catalog & np.isin(data.names, list(known_classes))
    new = candidates & (predicted != data.names)
    is_sure = (probabilities.max(axis=1) >= CONFIDENT) & champion.recognises(replay.embeddings)
    contradicted = replay.contradicted | new
    # New uploads count only where the champion is sure: it may be wrong about many photos from a
    # new place. Earlier ones all count, since photos that look alike show the pattern.
    counted = replay.contradicted | (new & (is_sure | data.is_correction))
    clustered = np.zeros(len(new), bool)
    for name in np.unique(data.names[new]).tolist():
        rows = np.flatnonzero(replay.catalog & (data.names == name))
        clustered[rows] = _in_clusters(replay.embeddings[rows], counted[rows])
    uploads = candidates & ~data.is_correction

    def count(rows: NDArray[np.bool_]) -> int:
        return int((clustered & rows).sum()) if (clustered & rows & new).any() else 0

    return contradicted, Contradictions(
        uploads=int(uploads.sum()),
        contradicted=int((uploads & new & is_sure).sum()),
        clustered_uploads=count(~data.is_correction),
        clustered_corrections=count(data.is_correction),
        image_ids=tuple(
            image_ids[sha256] for sha256 in replay.sha256[new].tolist() if sha256 in image_ids
        )[:MAX_SHOWN],
    )


def _in_clusters(embeddings: NDArray[np.float32], flagged: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which flagged rows have mostly flagged nearest neighbours: bool [n], from float32
    [n, channels] and bool [n]."""
    result = np.zeros(len(flagged), bool)
    squares = (embeddings**2).sum(axis=1)
    for row in np.flatnonzero(flagged):
        distances = squares - 2 * embeddings @ embeddings[row]
        distances[row] = np.inf
        nearest = np.argsort(distances)[:NEIGHBOURS]
        result[row] = flagged[nearest].mean() >= 0.5
    return result


def ood_predicted_as(data: TrainingRows, classes: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the k OOD photos leave-one-out predicts as one of `classes`: bool [k]."""
    evaluated = np.repeat([False, True], [len(data.names), len(data.replay.others)])
    labels = [data.classes.index(name) for name in classes]
    return np.isin(_leave_one_out_with_ood(data, evaluated), labels)


def _leave_one_out_with_ood(data: TrainingRows, evaluated: NDArray[np.bool_]) -> NDArray[np.int64]:
    """`leave_group_out` on n rows followed by k OOD photos, which form one more class.

    `evaluated` is [n + k].
    """
    replay = data.replay
    groups = [f"none {k}" for k in range(len(replay.others))]
    return leave_group_out(
        np.concatenate([replay.embeddings, replay.others.embeddings]),
        np.concatenate([data.labels, np.full(len(groups), len(data.classes))]),
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
