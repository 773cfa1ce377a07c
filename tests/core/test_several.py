"""Telling several fruits from one, by a network whose answers can be computed by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from api.core.heads import Head
from api.core.several import SeveralFruits
from tests.heads import make_head

CHANNELS = 2


def counter() -> SeveralFruits:
    """Counts the places whose first channel is 1; the logit is their number minus 1.5."""
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[1, 1] = 1
    return SeveralFruits(
        reduce=np.array([[1], [0]], np.float32),
        reduce_bias=np.zeros(1, np.float32),
        kernel=kernel,
        kernel_bias=np.zeros(1, np.float32),
        # Weights of the maximum and of the mean over 9 places.
        output=np.array([[0], [9]], np.float32),
        output_bias=np.array([-1.5], np.float32),
    )


def odds(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def feature_map(*places: tuple[int, int]) -> NDArray[np.float32]:
    """A 3 x 3 map with fruit at these places; the other channel is noise that must not count."""
    maps = np.zeros((1, 3, 3, CHANNELS), np.float32)
    maps[..., 1] = 5
    for row, column in places:
        maps[0, row, column, 0] = 1
    return maps


def test_probability_follows_the_number_of_places() -> None:
    one, four = feature_map((0, 0)), feature_map((0, 0), (0, 2), (2, 0), (2, 2))
    found = counter().probability(np.concatenate([one, four]))
    assert found == pytest.approx([odds(-0.5), odds(2.5)], abs=1e-6)
    assert counter().shows_several(np.concatenate([one, four])).tolist() == [False, True]


@pytest.mark.parametrize("at", [(0, 1), (1, 0), (1, 2), (2, 1)])
def test_kernel_sees_the_neighbour_it_names(at: tuple[int, int]) -> None:
    """As in a Keras convolution, the kernel is not flipped, and the padding is zero."""
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[at] = 1
    one_step = replace(counter(), kernel=kernel)
    # The middle place sees what lies at the kernel's only weight.
    assert one_step.probability(feature_map(at))[0] == pytest.approx(odds(-0.5))
    beyond = (2 - at[0], 2 - at[1])
    seen = one_step.probability(feature_map(beyond))[0]
    assert seen == pytest.approx(odds(-1.5))


def test_answer_does_not_depend_on_the_batch() -> None:
    rng = np.random.default_rng(0)
    maps = rng.random((7, 5, 5, CHANNELS)).astype(np.float32)
    together = counter().probability(maps)
    assert together.tolist() == [float(counter().probability(one[None])[0]) for one in maps]


def test_head_keeps_it_in_its_file(tmp_path: Path) -> None:
    head = make_head([[4, 0], [0, 4]])
    head.save(tmp_path / "without.npz")
    assert Head.load(tmp_path / "without.npz").several is None
    replace(head, several=counter()).save(tmp_path / "with.npz")
    loaded = Head.load(tmp_path / "with.npz").several
    assert loaded is not None
    maps = feature_map((0, 0), (1, 1))
    assert loaded.probability(maps).tolist() == counter().probability(maps).tolist()


def test_arrays_of_another_shape_are_refused(tmp_path: Path) -> None:
    other = replace(counter(), reduce=np.ones((CHANNELS + 1, 1), np.float32))
    replace(make_head([[4, 0], [0, 4]]), several=other).save(tmp_path / "head.npz")
    with pytest.raises(ValueError, match="several fruits"):
        Head.load(tmp_path / "head.npz")
