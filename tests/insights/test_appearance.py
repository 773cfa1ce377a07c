"""Brightness, colour and size."""

import numpy as np
import pytest

from api.insights.appearance import appearance, probability_of_superiority, sizes, unwrapped
from tests.insights.samples import some

NAN = float("nan")


def test_quantiles_are_of_each_class_alone() -> None:
    looks = [[value, 0.2, 30, 10, 10] for value in (0.1, 0.2, 0.3, 0.9)]
    found = appearance(some("mango", "mango", "mango", "kiwi", looks=np.array(looks, np.float32)))
    assert [row.class_name for row in found.by_class] == ["kiwi", "mango"]
    assert [row.examples for row in found.by_class] == [1, 3]
    assert found.by_class[1].brightness.p50 == pytest.approx(0.2)
    assert "brightest class is kiwi, the darkest mango" in found.story


def test_reds_on_both_sides_of_the_circle_stay_together() -> None:
    near = unwrapped(np.array([350, 355, 5, 10], np.float32))
    assert np.sort(near).tolist() == pytest.approx([-10, -5, 5, 10], abs=1e-3)


def test_superiority_is_the_share_of_pairs() -> None:
    first, second = np.array([2, 3], np.float32), np.array([1, 2], np.float32)
    assert probability_of_superiority(first, second) == pytest.approx(3.5 / 4)


@pytest.mark.parametrize(("rotten", "said"), [(0.1, "lean on it"), (0.5, "does not give")])
def test_the_story_tells_how_far_light_alone_goes(rotten: float, said: str) -> None:
    looks = np.array([[0.5, 0.5, 30, 9, 9]] * 3 + [[rotten, 0.5, 30, 9, 9]] * 3, np.float32)
    names = ["freshapples"] * 3 + ["rottenapples"] * 3
    assert said in appearance(some(*names, looks=looks)).story


def test_what_was_not_measured_is_counted_and_named() -> None:
    looks = np.array([[0.5, 0.5, 30, 9, 9], [NAN] * 5], np.float32)
    examples = some("mango", "kiwi", looks=looks)
    found, measured = appearance(examples), sizes(examples, 160)
    assert (found.measured, found.not_measured) == (1, 1)
    assert (measured.measured, measured.not_measured) == (1, 1)
    for story in (found.story, measured.story):
        assert "Of 1 example it is not known" in story
        assert "api.commands.training measure" in story


def test_nothing_measured_is_told_without_figures() -> None:
    found = sizes(some("mango", looks=np.full((1, 5), NAN, np.float32)), 160)
    assert (found.measured, found.width, found.sizes) == (0, None, [])
    assert appearance(some()).by_class == []


def test_sizes_that_are_nearly_alike_are_one() -> None:
    pixels = [(1000, 500), (1001, 501), (999, 500), (100, 100)]
    looks = np.array([[0.5, 0.5, 30, *size] for size in pixels], np.float32)
    found = sizes(some(*["mango"] * 4, looks=looks), 160)
    assert sorted((size.width, size.height, size.examples) for size in found.sizes) == [
        (100, 100, 1),
        (1000, 500, 3),
    ]
    assert found.smaller == 1
    assert "1 picture (25 %) must be enlarged" in found.story
