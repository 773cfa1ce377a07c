"""Explanations: a class activation map over the image.

B. Zhou et al., "Learning Deep Features for Discriminative Localization" (2016). Cheap, since
serving already has the feature map.
"""

import base64
import io

import numpy as np
from PIL import Image

from api.core.arrays import FloatArray

OVERLAY_SIDE = 384
# Transparent to light blue to blue: (share of the maximum, red, green, blue, opacity). Yellow to
# red looks like a bruise on a fruit, and brown like rot; blue looks like nothing on a fruit.
_COLOURS = np.array(
    [
        (0.0, 255, 255, 255, 0.0),
        (0.35, 150, 215, 255, 0.2),
        (0.65, 50, 140, 255, 0.45),
        (1.0, 0, 50, 255, 0.65),
    ]
)


def activation_map(feature_map: FloatArray, class_weights: FloatArray) -> FloatArray:
    """Evidence for a class at each position: float32 [h, w], 0..1, scaled to a maximum of 1.

    `feature_map` is float32 [h, w, channels], `class_weights` float32 [channels]. All zeros without
    evidence for the class.
    """
    evidence = np.maximum(feature_map @ class_weights, 0)
    peak = evidence.max()
    scaled: FloatArray = (evidence / peak if peak > 0 else evidence).astype(np.float32)
    return scaled


def overlay(image: Image.Image, activation: FloatArray) -> Image.Image:
    """The image, at most 384 pixels a side, under a colour map of `activation`."""
    image = image.copy()
    image.thumbnail((OVERLAY_SIDE, OVERLAY_SIDE))
    heat = Image.fromarray(activation).resize(image.size, Image.Resampling.BICUBIC)
    strength = np.clip(np.asarray(heat), 0, 1)
    stops = _COLOURS[:, 0]
    colour = np.stack([np.interp(strength, stops, _COLOURS[:, k]) for k in (1, 2, 3)], axis=-1)
    opacity = np.interp(strength, stops, _COLOURS[:, 4])[..., None]
    blended = np.asarray(image) * (1 - opacity) + colour * opacity
    return Image.fromarray(blended.astype(np.uint8))


def data_uri(image: Image.Image) -> str:
    """The image as a PNG data URI."""
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
