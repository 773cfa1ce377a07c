"""Brightness, colour and image size by class."""

import numpy as np
import pytest

from api.insights.appearance import appearance, probability_of_superiority, sizes, unwrap_hue
from tests.insights.samples import make_examples

NAN = float("nan")


def test_quantiles_are_by_class() -> None:
    measured = [[value, 0.2, 30, 10, 10] for value in (0.1, 0.2, 0.3, 0.9)]
    result = appearance(
        make_examples("mango", "mango", "mango", "kiwi", appearance=np.array(measured, np.float32))
    )
    assert [row.class_name for row in result.by_class] == ["kiwi", "mango"]
    assert [row.examples for row in result.by_class] == [1, 3]
    assert result.by_class[1].brightness.p50 == pytest.approx(0.2)
    assert "brightest class is kiwi, the darkest mango" in result.story


def test_hues_around_zero_stay_together() -> None:
    near = unwrap_hue(np.array([350, 355, 5, 10], np.float32))
    assert np.sort(near).tolist() == pytest.approx([-10, -5, 5, 10], abs=1e-3)


def test_probability_of_superiority_is_the_share_of_pairs() -> None:
    first, second = np.array([2, 3], np.float32), np.array([1, 2], np.float32)
    assert probability_of_superiority(first, second) == pytest.approx(3.5 / 4)


@pytest.mark.parametrize(("rotten", "expected"), [(0.1, "lean on it"), (0.5, "does not give")])
def test_story_says_how_well_brightness_separates(rotten: float, expected: str) -> None:
    measured = np.array([[0.5, 0.5, 30, 9, 9]] * 3 + [[rotten, 0.5, 30, 9, 9]] * 3, np.float32)
    class_names = ["freshapples"] * 3 + ["rottenapples"] * 3
    assert expected in appearance(make_examples(*class_names, appearance=measured)).story


def test_unmeasured_examples_are_counted() -> None:
    rows = np.array([[0.5, 0.5, 30, 9, 9], [NAN] * 5], np.float32)
    examples = make_examples("mango", "kiwi", appearance=rows)
    result, measured = appearance(examples), sizes(examples, 160)
    assert (result.measured, result.not_measured) == (1, 1)
    assert (measured.measured, measured.not_measured) == (1, 1)
    for story in (result.story, measured.story):
        assert "For 1 example it is not known" in story
        assert "api.commands.training measure" in story


def test_without_measurements_the_result_is_empty() -> None:
    result = sizes(make_examples("mango", appearance=np.full((1, 5), NAN, np.float32)), 160)
    assert (result.measured, result.width, result.sizes) == (0, None, [])
    assert appearance(make_examples()).by_class == []


def test_similar_sizes_are_counted_together() -> None:
    pixels = [(1000, 500), (1001, 501), (999, 500), (100, 100)]
    measured = np.array([[0.5, 0.5, 30, *size] for size in pixels], np.float32)
    result = sizes(make_examples(*["mango"] * 4, appearance=measured), 160)
    assert sorted((size.width, size.height, size.examples) for size in result.sizes) == [
        (100, 100, 1),
        (1000, 500, 3),
    ]
    assert result.smaller == 1
    assert "1 photo (25 %) must be enlarged" in result.story
