"""Backbones without classifier: our custom CNN and those of keras.applications.

Keras networks expect different pixel ranges, and EfficientNetB0 scales internally, differently with
and without ImageNet weights. Here no network scales: a layer of `scale_…` before it does, so that a
weights file always means the same.
"""

from typing import Any

import keras
from keras import layers

# Mean and standard deviation of ImageNet's pixels in 0..1, RGB, as EfficientNet was trained.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
# Mean of ImageNet's pixels in 0..255, RGB, as in Caffe and ResNet50.
CAFFE_MEAN = (123.68, 116.779, 103.939)
CUSTOM_CNN_FILTERS = (32, 64, 128, 256, 256)


def custom_cnn(size: int) -> keras.Model:
    """A plain baseline of 3x3 convolutions: float32 [n, size, size, 3], -1..1, to a feature map
    [n, ceil(size/32), ceil(size/32), 256], not negative (ReLU)."""
    image = keras.Input((size, size, 3), name="image")
    x = image
    for index, filters in enumerate(CUSTOM_CNN_FILTERS):
        x = layers.Conv2D(filters, 3, 2, padding="same", use_bias=False, name=f"stage{index}_conv")(
            x
        )
        x = layers.BatchNormalization(name=f"stage{index}_bn")(x)
        x = layers.ReLU(name=f"stage{index}_relu")(x)
    return keras.Model(image, x, name="custom_cnn")


def mobilenet_v2(size: int, weights: str | None = None) -> keras.Model:
    """MobileNetV2 (Sandler et al., 2018): float32 [n, size, size, 3], -1..1, to a feature map
    [n, ceil(size/32), ceil(size/32), 1280], not negative (ReLU6)."""
    return keras.applications.MobileNetV2(
        input_shape=(size, size, 3), include_top=False, weights=weights
    )


def efficientnet_b0(size: int, weights: str | None = None) -> keras.Model:
    """EfficientNetB0 (Tan & Le, 2019): float32 [n, size, size, 3] as `scale_for_efficientnet`
    gives it, to a feature map [n, ceil(size/32), ceil(size/32), 1280], -0.28 or more (swish)."""
    network = keras.applications.EfficientNetB0(
        input_shape=(size, size, 3), include_top=False, weights=weights
    )
    # Without Keras' scaling, which is everything before the stem.
    stem = network.get_layer("stem_conv_pad")
    return keras.Model(stem.input, network.output, name=network.name)


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
    """Pixels 0..255 to mean 0 and standard deviation 1 over ImageNet.

    The same result as Keras' own two scaling layers: its ImageNet file has the deviation where the
    first expects the variance, and the second corrects that
    (https://github.com/tensorflow/tensorflow/issues/49930).
    """
    return layers.Rescaling(
        [1 / (255 * deviation) for deviation in IMAGENET_DEVIATION],
        offset=[-m / d for m, d in zip(IMAGENET_MEAN, IMAGENET_DEVIATION, strict=True)],
        name="scale",
    )(image)


def scale_for_resnet(image: Any) -> Any:
    """Pixels 0..255, RGB, to BGR minus ImageNet's mean: about -124..152."""
    centred = layers.Rescaling(1.0, offset=[-mean for mean in CAFFE_MEAN], name="scale")(image)
    return keras.ops.flip(centred, axis=-1)
