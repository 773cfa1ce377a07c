"""Leave-group-out predictions without refitting."""

import numpy as np
import pytest
from numpy.typing import NDArray

from api.retraining import label_agreement
from api.retraining.label_agreement import leave_group_out


def blobs_of(
    count: int, apart: float, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.str_]]:
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    middles = random.normal(size=(3, 20)) * apart
    embeddings = (middles[labels] + random.normal(size=(count, 20))).astype(np.float32)
    return embeddings, labels, np.array([f"p{k // 6}" for k in range(count)])


def test_equals_refitting_without_the_photo() -> None:
    embeddings, labels, groups = blobs_of(60, apart=0.5)
    wanted = np.arange(60) >= 30
    found = leave_group_out(embeddings, labels, groups, wanted)
    x = embeddings.astype(np.float64)
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-6)
    x = np.hstack([x, np.ones((60, 1))])
    share = (1 / np.bincount(labels))[labels]
    share /= share.sum()
    for row, answer in zip(np.flatnonzero(wanted), found, strict=True):
        others = groups != groups[row]
        scaled = x[others] * share[others, None]
        normal = scaled.T @ x[others] + label_agreement.RIDGE * np.eye(x.shape[1])
        weights = np.linalg.solve(normal, scaled.T @ np.eye(3)[labels[others]])
        assert (x[row] @ weights).argmax() == answer


@pytest.mark.parametrize(("shuffled", "low", "high"), [(False, 0.95, 1.0), (True, 0.0, 0.5)])
def test_recovers_true_labels_but_not_shuffled_ones(
    shuffled: bool, low: float, high: float
) -> None:
    embeddings, labels, _ = blobs_of(300, apart=2.0)
    groups = np.array([f"p{k}" for k in range(300)])
    wanted = np.arange(300) >= 240
    if shuffled:
        labels = labels.copy()
        labels[wanted] = np.random.default_rng(1).permutation(labels[wanted])
    found = leave_group_out(embeddings, labels, groups, wanted)
    assert low <= (found == labels[wanted]).mean() <= high


def test_copies_of_a_photo_are_left_out_together() -> None:
    embeddings, labels, _ = blobs_of(90, apart=3.0)
    # Six saved copies of one photograph, all with the same wrong label.
    embeddings[84:] = embeddings[84]
    labels = labels.copy()
    labels[84:] = (labels[84] + 1) % 3
    groups = np.array([f"p{min(k, 84)}" for k in range(90)])
    found = leave_group_out(embeddings, labels, groups, np.arange(90) >= 84)
    assert (found != labels[84:]).all()
