"""Full training with the smallest network."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from api.training import train as module
from api.training.backbones.architectures import TABLE, build_backbone, build_network
from api.training.corpus import TrainingSplit, read_corpus
from api.training.head_layout import HeadLayout
from api.training.recipe import Recipe
from api.training.samples import Sample, load_inputs
from tests.training.collection import CLASSES, draw_collection

# Compiling is tested in test_grader.py.
pytestmark = pytest.mark.usefixtures("eager_training")
SIZE = 32
RECIPE = Recipe(
    architecture="custom_cnn", weights="none", input_size=SIZE, batch_size=16, views=32, epochs=1
)


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> TrainingSplit:
    """A few samples of each split."""
    full = read_corpus(draw_collection(tmp_path_factory.mktemp("collection"))).training_split()
    return replace(
        full, training=take_each(full.training, 6), validation=take_each(full.validation, 3)
    )


def take_each(samples: Sequence[Sample], each: int) -> list[Sample]:
    """At most `each` of every target and freshness."""
    groups: dict[object, list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.target, sample.freshness), []).append(sample)
    return [sample for group in groups.values() for sample in group[:each]]


def known(samples: Sequence[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample.target]


def test_both_heads_are_trained_with_a_none_output(split: TrainingSplit) -> None:
    trained = module.train(RECIPE, split)
    # Apple, banana, none of them, freshness.
    assert (trained.layout.kinds, trained.layout.has_freshness) == (3, True)
    assert trained.heads.weights.shape[1] == 4
    assert set(trained.history[0]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(np.isfinite(list(trained.history[0].values())))


def test_training_that_diverges_is_rejected(split: TrainingSplit) -> None:
    with pytest.raises(module.TrainingDivergedError, match="smaller learning rate"):
        module.train(replace(RECIPE, learning_rate=1e30), split)


def test_ood_samples_only_in_validation_are_ignored(split: TrainingSplit) -> None:
    """As with a single near-OOD kind that is in the validation split."""
    training = known(split.training)
    assert any(not sample.target for sample in split.validation)
    trained = module.train(RECIPE, replace(split, training=training))
    assert trained.layout.kinds == 2
    without = module.train(
        RECIPE, replace(split, training=training, validation=known(split.validation))
    )
    assert trained.history == without.history


def test_without_rotten_samples_each_class_is_a_kind(split: TrainingSplit) -> None:
    """A freshness head needs rotten samples; fresh and overripe apples become two kinds."""
    classes = ("freshapples", "overripeapples")
    sound = [
        replace(sample, target=target, freshness=1.0)
        for sample in known(split.training)
        for target in ((1.0, 0.0), (0.0, 1.0))
        if sample.freshness == (0.0 if target[0] else 1.0)
    ]
    trained = module.train(RECIPE, TrainingSplit(classes, sound, sound[:8]))
    assert (trained.layout.kinds, trained.layout.has_freshness) == (2, False)
    assert trained.heads.weights.shape[1] == 2


def test_pretrained_backbone_starts_with_fitted_heads(split: TrainingSplit, tmp_path: Path) -> None:
    """With a learning rate near 0 the heads stay as fitted."""
    weights = save_weights_file(tmp_path)
    recipe = replace(RECIPE, weights=weights, learning_rate=1e-12, weight_decay=0.0)
    trained = module.train(recipe, split)
    embeddings = module.embed(trained.backbone, load_inputs(split.training, SIZE))
    layout = HeadLayout.of(CLASSES, split.training)
    fitted = layout.fit(embeddings, split.training, CLASSES, recipe.head_l2)
    assert trained.heads(embeddings) == pytest.approx(fitted(embeddings), abs=0.05)


def save_weights_file(folder: Path) -> str:
    """A weights file that stands in for ImageNet's."""
    path = folder / "own.weights.h5"
    with warnings.catch_warnings():
        # Keras' save_weights uses an array interface that NumPy 2 deprecates.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        build_network("custom_cnn", SIZE, "none").save_weights(path)
    return str(path)


def test_random_initial_weights_are_not_interpolated(split: TrainingSplit) -> None:
    recipe = replace(RECIPE, learning_rate=0.01, averaging=0.1)
    weights_kept, weights_dropped = (
        module.train(replace(recipe, kept_share=share), split).backbone.get_weights()
        for share in (1.0, 0.0)
    )
    assert all(np.array_equal(a, b) for a, b in zip(weights_kept, weights_dropped, strict=True))


def resolutions(backbone: keras.Model) -> dict[str, tuple[int, bool]]:
    """For each layer with weights: the side of its output, and whether it is trainable."""
    network = backbone.layers[-1]
    return {
        layer.name: (layer.output.shape[1], bool(layer.trainable_weights))
        for layer in network.layers
        if layer.weights and not isinstance(layer, keras.layers.BatchNormalization)
    }


# MobileNetV2 warns that it uses another size's weights.
@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")
@pytest.mark.parametrize("name", TABLE)
def test_early_layers_are_frozen_and_later_ones_trained(name: str) -> None:
    backbone = build_backbone(name, 64, "none")
    module._freeze(backbone, 4)
    layers = set(resolutions(backbone).values())
    assert {(side, learns) for side, learns in layers if learns is not (side < 16)} == set()
    assert {learns for _, learns in layers} == {True, False}


def test_frozen_stride_zero_trains_every_layer() -> None:
    backbone = build_backbone("custom_cnn", 64, "none")
    module._freeze(backbone, 0)
    assert all(learns for _, learns in resolutions(backbone).values())


def test_frozen_layers_are_unchanged_by_training(split: TrainingSplit, tmp_path: Path) -> None:
    weights = save_weights_file(tmp_path)
    recipe = replace(RECIPE, weights=weights, kept_share=0.0, learning_rate=0.01, averaging=0.1)
    before = build_backbone("custom_cnn", SIZE, weights)
    after = module.train(recipe, split).backbone
    changed = {
        layer.name: any(
            not np.array_equal(old, new)
            for old, new in zip(
                before.layers[-1].get_layer(layer.name).get_weights(),
                layer.get_weights(),
                strict=True,
            )
        )
        for layer in after.layers[-1].layers
        if layer.weights and not isinstance(layer, keras.layers.BatchNormalization)
    }
    sides = resolutions(after)
    assert {name for name, new in changed.items() if new} == {
        name for name, (side, _) in sides.items() if side < SIZE // 4
    }
