"""A network's graph converted to ONNX."""

import numpy as np
import onnxruntime
import pytest

from api.model.engines.litert import LiteRTBackbone
from api.model.package import BACKBONE
from api.registry.onnx_graph import INPUT, NotConvertibleError, to_onnx
from api.settings import Settings
from tests.small_grader import CHANNELS, small_graph

SIZE = 160


def test_features_are_those_of_litert(shipped_settings: Settings) -> None:
    backbone = (shipped_settings.model_dir / BACKBONE).read_bytes()
    images = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)
    session = onnxruntime.InferenceSession(to_onnx(backbone))
    [features] = session.run(None, {INPUT: images})
    expected = LiteRTBackbone(backbone)(images)
    np.testing.assert_allclose(features, expected, atol=1e-4)


def test_operators_that_are_not_known_are_refused() -> None:
    with pytest.raises(NotConvertibleError, match="operator 1 "):
        to_onnx(small_graph(CHANNELS))
