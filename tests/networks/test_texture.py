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
    found = np.asarray(beside(end, [tf.constant(middle)]))
    assert found.shape == (1, 2, 2, 8)
    assert np.allclose(found[..., 3:].mean(axis=(1, 2)), middle.std(axis=(1, 2)), atol=1e-3)


def test_a_backbone_with_texture_sees_what_it_saw_and_more() -> None:
    backbone = build_backbone(NAME, SIZE, "none")
    network = backbone.layers[-1]
    pictures = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    plain = np.asarray(backbone(pictures, training=False))
    found = np.asarray(with_texture(backbone, NAME)(pictures, training=False))
    channels = [network.get_layer(layer).output.shape[-1] for layer in TABLE[NAME].texture]
    assert channels == [672, 672]
    assert found.shape == (*plain.shape[:3], plain.shape[3] + sum(channels))
    assert np.array_equal(found[..., : plain.shape[3]], plain)
    assert found[..., plain.shape[3] :].max() > 0
