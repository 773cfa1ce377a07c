"""Loading includes grading: the probe goes through the whole model."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from api.core.heads import Head, Linear
from api.model.engines.litert import LiteRTBackbone
from api.model.package import Package, load_package
from api.model.predictor import Predictor
from api.model.probe import check_probe, grade_probe, probe_images
from api.settings import PROJECT


@cache
def shipped() -> Package:
    return load_package(PROJECT / "models" / "default")


def with_kinds(kinds: Linear) -> Package:
    return replace(shipped(), head=replace(shipped().head, kinds=kinds))


def test_probe_is_drawn_equally_everywhere() -> None:
    images = probe_images(160)
    assert images.shape == (3, 160, 160, 3)
    assert len({image.tobytes() for image in images}) == 3
    # The background, and fruit in the middle.
    assert images[0, 0, 0].tolist() == [248, 248, 246]
    assert images[0, 80, 80, 0] > 2 * images[0, 80, 80, 1]


def test_shipped_package_gives_the_answers_of_its_manifest() -> None:
    package = shipped()
    recorded = package.manifest.probe
    assert recorded
    answers = grade_probe(LiteRTBackbone(package.backbone), package.head, 160)
    check_probe(answers, recorded)
    assert Predictor.of_package(package).manifest == package.manifest


def test_swapped_classes_are_noticed() -> None:
    kinds = shipped().head.kinds
    order = [1, 0, *range(2, kinds.bias.size)]
    with pytest.raises(ValueError, match="grades differently from when it was made"):
        Predictor.of_package(with_kinds(Linear(kinds.weights[:, order], kinds.bias[order])))


def test_head_of_another_shape_is_refused_in_words() -> None:
    kinds = shipped().head.kinds
    with pytest.raises(ValueError, match=r"not fit to serve\. It cannot grade"):
        Predictor.of_package(with_kinds(Linear(kinds.weights[:-3], kinds.bias)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    kinds = shipped().head.kinds
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="not fit to serve"):
        Predictor.of_package(with_kinds(Linear(np.full_like(kinds.weights, value), kinds.bias)))


def test_graph_with_output_that_is_not_finite_is_refused() -> None:
    def backbone(pixels: np.ndarray) -> np.ndarray:
        return np.full((len(pixels), 5, 5, shipped().head.channels), np.nan, np.float32)

    head: Head = shipped().head
    with pytest.raises(ValueError, match="output is not finite"):
        grade_probe(backbone, head, 160)
