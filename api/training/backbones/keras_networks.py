"""The networks of keras.applications, without classifier and with our own scaling before them.

Keras expects of each network another range of pixels, and EfficientNetB0 does its own scaling,
which differs with and without ImageNet weights. Here no network scales; a `scale_for_…` beside it
does, always in the same way, so that one weights file means one network.
"""

from typing import Any

import keras
from keras import layers

# Mean and deviation of ImageNet's pixels in 0..1, RGB: what EfficientNet was trained with.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
# Mean of ImageNet's pixels in 0..255, RGB, as Caffe and after it ResNet50 had it.
CAFFE_MEAN = (123.68, 116.779, 103.939)


def mobilenet_v2(size: int, weights: str | None = None) -> keras.Model:
    """MobileNetV2 (Sandler et al., 2018): float32 [n, size, size, 3], -1..1, to a feature map
    [n, ceil(size/32), ceil(size/32), 1280], not negative (ReLU6)."""
    return keras.applications.MobileNetV2(
        input_shape=(size, size, 3), include_top=False, weights=weights
    )


def efficientnet_b0(size: int, weights: str | None = None) -> keras.Model:
    """EfficientNetB0 (Tan & Le, 2019): float32 [n, size, size, 3] as `scale_for_efficientnet`
    gives it, to a feature map [n, ceil(size/32), ceil(size/32), 1280], -0.28 or more (swish)."""
    whole = keras.applications.EfficientNetB0(
        input_shape=(size, size, 3), include_top=False, weights=weights
    )
    # All before the stem is Keras' scaling.
    return keras.Model(whole.get_layer("stem_conv_pad").input, whole.output, name=whole.name)


def resnet50(size: int, weights: str | None = None) -> keras.Model:
    """ResNet50 (He et al., 2015): float32 [n, size, size, 3] as `scale_for_resnet` gives it, to a
    feature map [n, ceil(size/32), ceil(size/32), 2048], not negative (ReLU)."""
    return keras.applications.ResNet50(
        input_shape=(size, size, 3), include_top=False, weights=weights
    )


def scale_to_one(image: Any) -> Any:
    """Pixels 0..255 to -1..1."""
    return layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)


def scale_for_efficientnet(image: Any) -> Any:
    """Pixels 0..255 to mean 0 and deviation 1 over ImageNet.

    Keras' ImageNet file keeps the deviation where its layer wants the variance; Keras puts a
    second scaling behind it for that, which with this one has the same outcome. Source:
    https://github.com/tensorflow/tensorflow/issues/49930.
    """
    return layers.Rescaling(
        [1 / (255 * deviation) for deviation in IMAGENET_DEVIATION],
        offset=[-m / d for m, d in zip(IMAGENET_MEAN, IMAGENET_DEVIATION, strict=True)],
        name="scale",
    )(image)


def scale_for_resnet(image: Any) -> Any:
    """Pixels 0..255, RGB, to BGR with ImageNet's mean taken off: about -124..152."""
    centred = layers.Rescaling(1.0, offset=[-mean for mean in CAFFE_MEAN], name="scale")(image)
    return keras.ops.flip(centred, axis=-1)
