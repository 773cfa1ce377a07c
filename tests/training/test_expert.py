"""The expert on made-up textures: in the first channel, studio ones lie at 3, others at -3."""

import numpy as np
import pytest
from numpy.typing import NDArray

from api.predict.head import Linear, softmax
from api.training.expert import fit_classifier, fit_gate, fit_own_temperature

CHANNELS = 6


def textures(count: int, at: float, seed: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(count, CHANNELS)).astype(np.float32)
    drawn[:, 0] += at
    return drawn


def open_by(gate: Linear, texture: NDArray[np.float32]) -> NDArray[np.float32]:
    return softmax(gate(texture))[:, 1]


def test_the_gate_is_open_for_what_is_like_the_class_folders() -> None:
    gate = fit_gate(textures(400, 3, 0), textures(40, -3, 1))
    assert np.quantile(open_by(gate, textures(400, 3, 2)), 0.05) > 0.8
    assert np.quantile(open_by(gate, textures(400, -3, 3)), 0.95) < 0.2


def test_a_few_photographs_from_elsewhere_have_as_much_say_as_many_studio_ones() -> None:
    """Otherwise the gate would stand half open where nothing is known."""
    gate = fit_gate(textures(2000, 1, 0), textures(20, -1, 1))
    between = textures(500, 0, 2)
    assert open_by(gate, between).mean() == pytest.approx(0.5, abs=0.15)


def test_nothing_is_learned_of_what_the_gate_is_closed_for() -> None:
    studio, elsewhere = textures(300, 3, 2), textures(300, -3, 3)
    rotten = (studio[:, 1] > 0).astype(int)
    # Elsewhere it is the other way round.
    misleading = (elsewhere[:, 1] < 0).astype(int)
    seen = np.concatenate([studio, elsewhere])
    wanted = np.eye(2, dtype=np.float32)[np.concatenate([rotten, misleading])]
    opening = np.repeat([0.99, 0.01], 300).astype(np.float32)
    classifier = fit_classifier(opening, seen, wanted, np.ones(len(seen), np.float32))
    assert (classifier(studio).argmax(axis=1) == rotten).mean() > 0.97


def test_with_a_gate_that_is_closed_for_all_there_is_still_a_classifier() -> None:
    """A set that was photographed on a kitchen table alone."""
    seen = textures(100, -3, 0)
    wanted = np.eye(2, dtype=np.float32)[(seen[:, 1] > 0).astype(int)]
    nothing = np.zeros(100, np.float32)
    found = fit_classifier(nothing, seen, wanted, np.ones(100, np.float32))
    assert np.isfinite(found.weights).all()
    assert np.isfinite(found.bias).all()


def test_only_what_the_expert_is_asked_about_sets_its_temperature() -> None:
    """Of four times too sure logits with a right and a wrong share, and of others all wrong."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (3000, 2)).astype(np.float32)
    labels = (honest[:, 1] - honest[:, 0] > rng.logistic(size=3000)).astype(np.int64)
    wrong = 1 - honest.argmax(axis=1)
    logits = 4 * np.concatenate([honest, honest])
    opening = np.repeat([0.9, 0.1], 3000).astype(np.float32)
    found = fit_own_temperature(logits, np.concatenate([labels, wrong]), opening)
    assert found == pytest.approx(4, rel=0.1)
    # Where it is asked about nothing, all there is must do.
    assert fit_own_temperature(logits[:3000], labels, opening[3000:]) == pytest.approx(4, rel=0.1)
