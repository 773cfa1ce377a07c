"""Heads of a fast run when the folds of the cross-validation are hard to choose."""

import numpy as np
import pytest

from api.core.heads import Head
from api.core.imaging.hashing import SIGNATURE_BYTES
from api.model.replay_buffer import BOX_PREFIX, OodSamples, ReplayBuffer
from api.retraining.fast_heads import FOLDS, fit_calibrated_head
from api.retraining.training_rows import TrainingRows
from tests.registry.samples import without_appearance

CLASSES = ("freshapples", "freshpears", "rottenapples")
CHANNELS = 8


def fit(photos: list[tuple[str, str]]) -> Head:
    """Fit a head to (class, photo) pairs of the train split."""
    random = np.random.default_rng(0)
    labels = np.array([CLASSES.index(name) for name, _ in photos])
    names = np.array([photo for _, photo in photos])
    embeddings = random.normal(size=(len(CLASSES), CHANNELS))[labels] * 4
    embeddings += random.normal(size=embeddings.shape)
    replay = ReplayBuffer(
        embeddings=embeddings.astype(np.float32),
        targets=np.eye(len(CLASSES), dtype=np.float32)[labels],
        splits=np.full(len(labels), "train"),
        photographs=names,
        sha256=names,
        signatures=np.zeros((len(labels), SIGNATURE_BYTES), np.uint8),
        catalog=np.ones(len(labels), bool),
        **without_appearance(len(labels), CHANNELS),
        others=OodSamples.of_embeddings(random.normal(size=(20, CHANNELS)).astype(np.float32) * 9),
    )
    none = np.zeros(len(labels), bool)
    return fit_calibrated_head(TrainingRows(CLASSES, replay, none, none))


@pytest.mark.parametrize(("rare", "other"), [CLASSES[1:], CLASSES[:0:-1]])
def test_class_whose_photos_are_all_held_out_at_once_is_still_learned(
    rare: str, other: str
) -> None:
    """The first photo because of the rare class, the second because it has an apple too."""
    first, second = f"{BOX_PREFIX}1", f"{BOX_PREFIX}2"
    apples = [("freshapples", f"photo/{k}") for k in range(2 * FOLDS - 1)]
    others = [(other, f"photo/other {k}") for k in range(2 * FOLDS)]
    boxes = [("freshapples", second), (rare, first), (rare, second)]
    head = fit([*apples, *others, *boxes])
    assert head.freshness
    assert len(head.ood.means) == len(CLASSES)
    assert np.isfinite(head.ood.threshold)
    assert np.isfinite(head.temperature)
