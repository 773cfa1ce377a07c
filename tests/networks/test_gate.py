"""The gate in the network: what it says, and how the network looks where it is closed."""

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from api.networks.architectures import build_backbone, with_texture
from api.networks.gate import counts, gated
from api.predict.head import Linear
from api.predict.litert import LiteRTBackbone
from api.training.export import to_litert

NAME = "efficientnet_lite0"
SIZE = 96
TEXTURE = 2 * 672


@pytest.fixture(scope="module")
def textured() -> keras.Model:
    return with_texture(build_backbone(NAME, SIZE, "none"), NAME)


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    drawn = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    drawn[1] //= 8
    return drawn


def a_gate(bias: float) -> Linear:
    """The same for every picture."""
    return Linear(np.zeros((TEXTURE, 2), np.float32), np.array([-bias, bias], np.float32))


def test_an_open_gate_changes_nothing(textured: keras.Model, pictures: NDArray[np.uint8]) -> None:
    before = np.asarray(textured(pictures, training=False))
    found = np.asarray(gated(textured, a_gate(20))(pictures, training=False))
    assert np.allclose(found[..., :-1], before, rtol=1e-5)
    assert found[..., -1] == pytest.approx(np.ones((2, 3, 3)))


def test_with_a_closed_gate_the_middle_counts_more_but_for_the_texture(
    textured: keras.Model, pictures: NDArray[np.uint8]
) -> None:
    before = np.asarray(textured(pictures, training=False))
    found = np.asarray(gated(textured, a_gate(-20))(pictures, training=False))
    end = before.shape[-1] - TEXTURE
    assert np.allclose(found[..., :end], before[..., :end] * counts(3, 3)[..., None], rtol=1e-4)
    assert np.array_equal(found[..., end:-1], before[..., end:])
    assert np.abs(found[..., -1]).max() < 1e-6


def test_the_gate_goes_by_the_texture(textured: keras.Model, pictures: NDArray[np.uint8]) -> None:
    mean = np.asarray(textured(pictures, training=False))[..., -TEXTURE:].mean(axis=(1, 2))
    # Open for the second picture, closed for the first, half open between them.
    across = (mean[1] - mean[0]) * 20 / np.square(mean[1] - mean[0]).sum()
    weights = np.stack([-across, across], axis=1).astype(np.float32)
    bias = float(mean.mean(axis=0) @ across)
    gate = Linear(weights, np.array([bias, -bias], np.float32))
    found = np.asarray(gated(textured, gate)(pictures, training=False))[:, 0, 0, -1]
    assert found == pytest.approx([0, 1], abs=1e-3)


def test_its_graph_takes_several_pictures_in_one_pass(
    textured: keras.Model, pictures: NDArray[np.uint8]
) -> None:
    network = gated(textured, a_gate(0.5))
    backbone = LiteRTBackbone(to_litert(network))
    assert backbone.takes_several
    expected = np.asarray(network(pictures, training=False))
    assert np.allclose(backbone(pictures), expected, atol=1e-4)


@pytest.mark.parametrize("shape", [(5, 5), (3, 4), (1, 1)])
def test_places_count_less_from_the_middle_on(shape: tuple[int, int]) -> None:
    found = counts(*shape)
    assert found.shape == shape
    assert found.mean() == pytest.approx(1, abs=1e-6)
    assert np.allclose(found, found[::-1, ::-1])
    assert (np.diff(found[shape[0] // 2, shape[1] // 2 :]) < 0).all()
