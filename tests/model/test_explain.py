import base64
import io

import numpy as np
from PIL import Image

from api.model.explain import OVERLAY_SIDE, activation_map, data_uri, overlay


def test_activation_is_highest_at_the_evidence() -> None:
    feature_map = np.zeros((3, 3, 2), dtype=np.float32)
    feature_map[0, 2] = (4, 0)
    feature_map[2, 0] = (0, 9)
    activation = activation_map(feature_map, np.array([1, -1], dtype=np.float32))
    assert activation[0, 2] == 1
    assert activation[2, 0] == 0


def test_no_evidence_gives_an_empty_map() -> None:
    feature_map = np.ones((2, 2, 1), dtype=np.float32)
    assert not activation_map(feature_map, np.array([-1], dtype=np.float32)).any()


def test_overlay_colours_only_the_active_corner() -> None:
    photograph = Image.new("RGB", (800, 600), (10, 120, 10))
    activation = np.array([[1, 0], [0, 0]], dtype=np.float32)
    image = overlay(photograph, activation)
    assert max(image.size) == OVERLAY_SIDE
    pixels = np.asarray(image).astype(int)
    assert np.abs(pixels[-1, -1] - (10, 120, 10)).max() <= 2
    assert pixels[0, 0][2] > 150


def test_overlay_does_not_look_like_damage() -> None:
    """Its colour is blue on everything from yellow fruit to brown spots."""
    activation = np.linspace(0.5, 1, 64, dtype=np.float32).reshape(8, 8)
    for fruit in ((240, 220, 60), (200, 40, 30), (90, 55, 25), (245, 240, 235)):
        before = np.array(fruit)
        after = np.asarray(overlay(Image.new("RGB", (64, 64), fruit), activation)).astype(int)
        change = after.reshape(-1, 3).mean(axis=0) - before
        assert change[2] - change[0] > 60


def test_data_uri_contains_the_image() -> None:
    header, _, body = data_uri(Image.new("RGB", (3, 2))).partition(",")
    assert header == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(body))).size == (3, 2)
