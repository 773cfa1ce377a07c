"""Reads a detector's network back from its LiteRT graph, to train it further.

A graph has folded weights: each batch normalisation is part of the convolution before it. In the
network that is read back, the normalisations therefore only add the bias, and must stay frozen.
"""

from collections import defaultdict, deque
from dataclasses import replace
from typing import Any, NamedTuple

import keras
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from keras import layers
from numpy.typing import NDArray

from api.core.errors import ProblemError
from api.model.engines.litert import LiteRTBackbone
from api.model.probe import probe_images
from api.training.detection.network import build_detector, freeze
from api.training.detection.recipe import DetectorRecipe

# Largest difference of an output between the graph and the network read back from it.
TOLERANCE = 0.01
_CONVOLUTIONS = {
    schema.BuiltinOperator.CONV_2D: "full",
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: "depthwise",
}
_DTYPES: dict[int, Any] = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
}


class NotRestorableError(ProblemError):
    """The graph is not one of the recipe's network, so training must start from scratch."""

    code = "detector-not-restorable"


class _Convolution(NamedTuple):
    """Kernel as in Keras, and bias [channels]."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


def restore_network(graph: bytes, recipe: DetectorRecipe, fruits: int) -> keras.Model:
    """The network of `graph`, which `build_detector` made, with frozen normalisations.

    Raises NotRestorableError, and what `build_detector` raises.
    """
    # The weights will come from the graph.
    network = build_detector(replace(recipe, weights="none"), fruits)
    backbone, *_ = (layer for layer in network.layers if isinstance(layer, keras.Model))
    if recipe.weights != "none":
        freeze(backbone, recipe)
    read = _read_convolutions(graph)
    everything = [*backbone.layers, *network.layers]
    normalised = {
        id(layer.input): layer
        for layer in everything
        if isinstance(layer, layers.BatchNormalization)
    }
    for layer in everything:
        if not isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)):
            continue
        kernel, *bias = layer.get_weights()
        key = _kind(layer), kernel.shape
        if not read[key]:
            raise NotRestorableError(f"The graph lacks the weights of {layer.name}.")
        convolution = read[key].popleft()
        if bias:
            layer.set_weights([convolution.kernel, convolution.bias])
            continue
        layer.set_weights([convolution.kernel])
        norm = normalised[id(layer.output)]
        ones, zeros = np.ones_like(convolution.bias), np.zeros_like(convolution.bias)
        # Gamma, beta, mean and variance: the divisor is one.
        norm.set_weights([ones, convolution.bias, zeros, ones - norm.epsilon])
        norm.trainable = False
    _check_same(network, graph, recipe.input_size)
    return network


def _read_convolutions(graph: bytes) -> dict[tuple[str, tuple[int, ...]], deque[_Convolution]]:
    """All convolutions by kind and kernel shape, in the order in which they run.

    Those of one shape run one after another, so they have the same order in the Keras network.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(graph))
    [part] = model.subgraphs
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    # Half-precision weights are expanded by an operation of their own.
    expanded = {
        operation.outputs[0]: operation.inputs[0]
        for operation in part.operators
        if codes[operation.opcodeIndex] == schema.BuiltinOperator.DEQUANTIZE
    }

    def constant(index: int) -> NDArray[np.float32]:
        tensor = part.tensors[expanded.get(index, index)]
        data = model.buffers[tensor.buffer].data
        if data is None or tensor.type not in _DTYPES:
            raise NotRestorableError("A weight of the graph is not a constant number.")
        values = np.frombuffer(bytes(data), _DTYPES[tensor.type]).astype(np.float32)
        return values.reshape(tensor.shape)

    found: dict[tuple[str, tuple[int, ...]], deque[_Convolution]] = defaultdict(deque)
    for operation in part.operators:
        kind = _CONVOLUTIONS.get(codes[operation.opcodeIndex])
        if kind is None:
            continue
        _, weights, bias = operation.inputs
        # From [out, h, w, in], or [1, h, w, channels], to the order of Keras.
        axes = (1, 2, 3, 0)
        kernel = constant(weights).transpose(axes)
        found[kind, kernel.shape].append(_Convolution(kernel, constant(bias)))
    return found


def _kind(layer: keras.Layer) -> str:
    return "depthwise" if isinstance(layer, layers.DepthwiseConv2D) else "full"


def _check_same(network: keras.Model, graph: bytes, input_size: int) -> None:
    run = LiteRTBackbone(graph)
    for image in probe_images(input_size):
        expected = run(image[None])
        actual = np.asarray(network(image[None], training=False))
        # Written so that a difference of NaN is not within the limit.
        if actual.shape != expected.shape or not np.abs(actual - expected).max() <= TOLERANCE:
            raise NotRestorableError("The network read from the graph does not give its results.")
