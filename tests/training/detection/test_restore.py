"""A detector's network is restored from its graph; other networks are refused."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from api.training.detection.network import build_detector
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.restore import NotRestorableError, restore_network
from api.training.export import to_litert

pytestmark = pytest.mark.slow
RECIPE = DetectorRecipe(input_size=64, width=16)
FRUITS = 2


@pytest.fixture(scope="module")
def graph() -> bytes:
    """The graph of a network whose normalisation layers have distinct statistics and scales."""
    network = build_detector(RECIPE, FRUITS)
    rng = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, len(w)) for w in layer.get_weights()])
    return to_litert(network, half_precision=True)


def test_network_that_is_read_back_computes_the_same(graph: bytes) -> None:
    network = restore_network(graph, RECIPE, FRUITS)
    trainable = {weight.path for weight in network.trainable_weights}
    assert not any("batch_normalization" in path for path in trainable)
    [backbone] = [layer for layer in network.layers if isinstance(layer, keras.Model)]
    # High-resolution layers are frozen, later ones are trained.
    assert not backbone.get_layer("stem_conv").trainable
    assert backbone.get_layer("block10_project_conv").trainable


@pytest.mark.parametrize(
    ("recipe", "fruits"),
    [(replace(RECIPE, width=24), FRUITS), (replace(RECIPE, depth=3), FRUITS), (RECIPE, 3)],
)
def test_graph_of_another_network_is_refused(
    graph: bytes, recipe: DetectorRecipe, fruits: int
) -> None:
    with pytest.raises(NotRestorableError, match="lacks the weights"):
        restore_network(graph, recipe, fruits)


def test_restored_network_that_differs_is_refused(graph: bytes) -> None:
    """The weights of a deeper network fit into a shallower one."""
    with pytest.raises(NotRestorableError, match="does not give its results"):
        restore_network(graph, replace(RECIPE, depth=1), FRUITS)
