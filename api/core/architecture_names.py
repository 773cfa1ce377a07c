"""The names of the networks that can be trained; `architectures` builds them, and needs Keras."""

from typing import Literal

Architecture = Literal[
    "efficientnet_lite0", "mobilenet_v2", "efficientnet_b0", "resnet50", "custom_cnn"
]
