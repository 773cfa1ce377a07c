"""Every architecture builds, trains, exports, is packaged and predicts."""

from pathlib import Path
from typing import Any, get_args
from urllib.error import URLError

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from api.evaluation.build import build_package
from api.model.grade import Grade
from api.model.package import load_package
from api.model.predictor import Predictor, PredictRequest
from api.retraining.schemas import Architecture
from api.training.backbones import networks
from api.training.backbones.architectures import (
    TABLE,
    InputTooSmallError,
    UnknownArchitectureError,
    build_backbone,
    build_network,
)
from api.training.backbones.weights import (
    BadWeightsFileError,
    ImagenetUnavailableError,
    UnknownWeightsError,
)
from api.training.corpus import TrainingCorpus
from api.training.recipe import Recipe
from tests.synthetic_images import draw_fruit, encode
from tests.training.drawn import CLASSES, draw_corpus

# Keras' save_weights uses an array interface that NumPy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SIZE = 32


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    return draw_corpus(tmp_path_factory.mktemp("drawn"), 24)


# The default is built, with its ImageNet weights, in test_build.py.
@pytest.mark.parametrize("name", [name for name in TABLE if name != Recipe().architecture])
@pytest.mark.usefixtures("eager_training")
def test_architecture_trains_exports_and_grades(
    name: str, corpus: TrainingCorpus, tmp_path: Path
) -> None:
    recipe = Recipe(
        architecture=name, weights="none", input_size=SIZE, batch_size=16, views=32, epochs=1
    )
    manifest = build_package(corpus, recipe, tmp_path / "package")
    agreement = manifest.metrics["export_agreement"]
    assert agreement["same_class"] == agreement["photographs"] > 0
    runtime = Predictor.of_package(load_package(tmp_path / "package"))
    grade = runtime.predict(encode(draw_fruit("freshapples", seed=1000), "JPEG"), explain=True)
    assert grade.class_name in CLASSES
    assert grade.heatmap is not None
    assert manifest.architecture == name
    # A batch of two, although the graph was exported for one.
    photographs = [encode(draw_fruit(kind, seed=1001), "JPEG") for kind in CLASSES[:2]]
    pair = runtime.predict_batch([PredictRequest(photograph) for photograph in photographs])
    assert [one.probabilities for one in pair if isinstance(one, Grade)] == [
        runtime.predict(photograph).probabilities for photograph in photographs
    ]


def test_batch_norm_is_frozen_with_pretrained_weights(tmp_path: Path) -> None:
    def norms(backbone: keras.Model) -> list[layers.Layer]:
        network = backbone.get_layer("custom_cnn")
        return [one for one in network.layers if isinstance(one, layers.BatchNormalization)]

    path = tmp_path / "own.weights.h5"
    build_network("custom_cnn", SIZE, "none").save_weights(path)
    assert all(norm.trainable for norm in norms(build_backbone("custom_cnn", SIZE, "none")))
    assert not any(norm.trainable for norm in norms(build_backbone("custom_cnn", SIZE, str(path))))


def test_resnet_preprocessing_matches_keras() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 4, 4, 3)).astype(np.float32)
    ours = networks.scale_for_resnet(tf.constant(pixels))
    theirs = keras.applications.resnet50.preprocess_input(pixels.copy())
    assert np.asarray(ours) == pytest.approx(theirs, abs=1e-4)


def test_efficientnet_preprocessing_standardizes_each_channel() -> None:
    """In each channel the ImageNet mean becomes 0, and one standard deviation above it 1."""
    mean = np.array([0.485, 0.456, 0.406], np.float32)
    deviation = np.array([0.229, 0.224, 0.225], np.float32)
    pixels = np.stack([mean, mean + deviation]).reshape(2, 1, 1, 3) * 255
    scaled = np.asarray(networks.scale_for_efficientnet(tf.constant(pixels)))
    assert scaled[:, 0, 0] == pytest.approx(np.array([[0] * 3, [1] * 3]), abs=1e-5)


def test_efficientnet_with_keras_weights_gives_the_same_output(tmp_path: Path) -> None:
    """Keras scales by 1/255 within the network; with our scaling, both agree."""
    path = tmp_path / "b0.weights.h5"
    theirs = keras.applications.EfficientNetB0(
        input_shape=(SIZE, SIZE, 3), include_top=False, weights=None
    )
    theirs.save_weights(path)
    ours = build_backbone("efficientnet_b0", SIZE, str(path))
    picture = np.asarray(draw_fruit("freshapples", size=SIZE))[None]
    scaled = networks.scale_for_efficientnet(tf.constant(picture, tf.float32))
    expected = np.asarray(theirs(np.asarray(scaled) * 255, training=False))
    actual = np.asarray(ours(picture, training=False))
    assert np.abs(expected).max() > 0
    assert np.abs(actual - expected).max() < 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("name", ["custom_cnn", "efficientnet_lite0"])
def test_loaded_weights_equal_the_saved_ones(name: str, tmp_path: Path) -> None:
    path = tmp_path / "own.weights.h5"
    saved = build_network(name, SIZE, "none")
    saved.save_weights(path)
    loaded = build_network(name, SIZE, str(path))
    for ours, theirs in zip(loaded.get_weights(), saved.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_weights_of_another_architecture_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "own.weights.h5"
    build_network("custom_cnn", SIZE, "none").save_weights(path)
    with pytest.raises(BadWeightsFileError, match="does not fit efficientnet_lite0"):
        build_network("efficientnet_lite0", SIZE, str(path))
    path.write_bytes(b"no HDF5")
    with pytest.raises(BadWeightsFileError, match="does not fit custom_cnn"):
        build_network("custom_cnn", SIZE, str(path))


@pytest.mark.parametrize("name", ["model.keras", "weights.pkl", "missing.weights.h5"])
def test_other_formats_and_missing_weights_are_rejected(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if not name.startswith("missing"):
        path.write_bytes(b"")
    with pytest.raises(UnknownWeightsError, match=r"\.weights\.h5"):
        build_backbone("custom_cnn", SIZE, str(path))


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0", "resnet50"])
# MobileNetV2 has weights for only some input sizes, and warns when it uses those of another size.
@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")
def test_offline_imagenet_error_names_the_alternatives(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", offline)
    with pytest.raises(ImagenetUnavailableError) as caught:
        build_backbone(name, SIZE, "imagenet")
    for part in (name, "no route to host", "none", ".weights.h5", "efficientnet_lite0"):
        assert part in caught.value.detail


# As above.
@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")
def test_downloaded_weights_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "downloaded.weights.h5"
    published = build_network("mobilenet_v2", SIZE, "none")
    published.save_weights(path)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(path))
    backbone = build_backbone("mobilenet_v2", SIZE, "imagenet")
    for ours, theirs in zip(backbone.get_weights(), published.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_unknown_names_and_small_inputs_are_rejected() -> None:
    with pytest.raises(UnknownArchitectureError, match="custom_cnn"):
        build_backbone("vgg", SIZE, "none")
    with pytest.raises(UnknownWeightsError, match="Choose none or"):
        build_backbone("custom_cnn", SIZE, "imagenet")
    with pytest.raises(InputTooSmallError, match="32"):
        build_backbone("custom_cnn", 31, "none")


def test_api_schema_lists_every_architecture() -> None:
    assert set(get_args(Architecture)) == set(TABLE)
