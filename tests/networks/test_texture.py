"""The texture of the middle beside the end: what it is, and that the end stays what it was."""

import numpy as np
import tensorflow as tf

from api.networks.architectures import TABLE, build_backbone, with_texture
from api.networks.texture import beside, spread

NAME = "efficientnet_lite0"
SIZE = 64


def test_the_average_of_the_spread_is_the_deviation() -> None:
    drawn = np.random.default_rng(0).normal(2, 3, (2, 6, 6, 5)).astype(np.float32)
    found = np.asarray(spread(tf.constant(drawn)))
    assert np.allclose(found.mean(axis=(1, 2)), drawn.std(axis=(1, 2)), atol=1e-3)
    # A place that is as the average adds nothing.
    even = np.asarray(spread(tf.ones((1, 4, 4, 3)) * 7))
    assert np.abs(even).max() == 0


def test_finer_places_are_averaged() -> None:
    end = tf.zeros((1, 2, 2, 3))
    middle = np.random.default_rng(0).normal(size=(1, 4, 4, 5)).astype(np.float32)
    found = np.asarray(beside(end, tf.constant(middle)))
    assert found.shape == (1, 2, 2, 3 + 5 + 5)
    assert np.allclose(found[0, 0, 0, 3:8], middle[0, :2, :2].mean(axis=(0, 1)), atol=1e-5)
    assert np.allclose(found[..., 8:].mean(axis=(1, 2)), middle.std(axis=(1, 2)), atol=1e-3)


def test_a_backbone_with_texture_sees_what_it_saw_and_more() -> None:
    backbone = build_backbone(NAME, SIZE, "none")
    network = backbone.layers[-1]
    pictures = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    plain = np.asarray(backbone(pictures, training=False))
    found = np.asarray(with_texture(backbone, NAME)(pictures, training=False))
    assert network.get_layer(TABLE[NAME].texture).output.shape[-1] == 672
    assert found.shape == (*plain.shape[:3], plain.shape[3] + 2 * 672)
    assert np.array_equal(found[..., : plain.shape[3]], plain)
    assert found[..., plain.shape[3] :].max() > 0
