"""Closed-form leave-group-out predictions, and labels that contradict the champion."""

import numpy as np
import pytest
from numpy.typing import NDArray

from api.retraining import label_agreement
from api.retraining.label_agreement import MAX_SHOWN, find_contradictions, leave_group_out
from api.retraining.training_rows import merge_catalog
from tests.heads import make_head
from tests.retraining.test_training_rows import CHANNELS, KNOWN, a_photo, a_replay


def make_clusters(
    count: int, distance: float, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.str_]]:
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    centres = random.normal(size=(3, 20)) * distance
    embeddings = (centres[labels] + random.normal(size=(count, 20))).astype(np.float32)
    return embeddings, labels, np.array([f"p{k // 6}" for k in range(count)])


def test_matches_refitting_without_the_photo() -> None:
    embeddings, labels, groups = make_clusters(60, distance=0.5)
    is_new = np.arange(60) >= 30
    predicted = leave_group_out(embeddings, labels, groups, is_new)
    x = embeddings.astype(np.float64)
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-6)
    x = np.hstack([x, np.ones((60, 1))])
    share = (1 / np.bincount(labels))[labels]
    share /= share.sum()
    for row, prediction in zip(np.flatnonzero(is_new), predicted, strict=True):
        rest = groups != groups[row]
        scaled = x[rest] * share[rest, None]
        normal = scaled.T @ x[rest] + label_agreement.RIDGE * np.eye(x.shape[1])
        weights = np.linalg.solve(normal, scaled.T @ np.eye(3)[labels[rest]])
        assert (x[row] @ weights).argmax() == prediction


@pytest.mark.parametrize(("shuffled", "low", "high"), [(False, 0.95, 1.0), (True, 0.0, 0.5)])
def test_true_labels_are_recovered_but_not_shuffled_ones(
    shuffled: bool, low: float, high: float
) -> None:
    embeddings, labels, _ = make_clusters(300, distance=2.0)
    groups = np.array([f"p{k}" for k in range(300)])
    is_new = np.arange(300) >= 240
    if shuffled:
        labels = labels.copy()
        labels[is_new] = np.random.default_rng(1).permutation(labels[is_new])
    predicted = leave_group_out(embeddings, labels, groups, is_new)
    assert low <= (predicted == labels[is_new]).mean() <= high


def test_copies_of_a_photo_are_left_out_together() -> None:
    embeddings, labels, _ = make_clusters(90, distance=3.0)
    # Six saved copies of one photo, all with the same wrong label.
    embeddings[84:] = embeddings[84]
    labels = labels.copy()
    labels[84:] = (labels[84] + 1) % 3
    groups = np.array([f"p{min(k, 84)}" for k in range(90)])
    predicted = leave_group_out(embeddings, labels, groups, np.arange(90) >= 84)
    assert (predicted != labels[84:]).all()


def test_boxes_do_not_take_the_place_of_shown_photos() -> None:
    """They contradict the champion too, but cannot be shown on their own."""
    photos = [a_photo(f"s{k}", "pear") for k in range(100, 100 + 2 * MAX_SHOWN)]
    embedded = {photo.sha256: np.zeros((1, CHANNELS), np.float32) for photo in photos}
    data = merge_catalog(a_replay(), KNOWN, photos, embedded, KNOWN)
    says_apple = make_head(np.zeros((CHANNELS, len(KNOWN))), bias=[9, 0])
    ids = {photo.sha256: photo.sha256.upper() for photo in photos[MAX_SHOWN - 1 :]}
    _, found = find_contradictions(data, says_apple, KNOWN, ids)
    assert found.image_ids == tuple(ids.values())[:MAX_SHOWN]
