"""A network's LiteRT graph as ONNX, for runtimes other than LiteRT.

Written without a library: tf2onnx needs TensorFlow, which the API does not have, and the package
`onnx` would make its image larger. The messages are those of onnx.proto; a graph has five kinds of
operators. Within the ONNX graph images are [n, channels, rows, columns].
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

# From 2021: runtimes of all kinds can read these.
IR_VERSION, OPSET = 8, 17
INPUT, OUTPUT = "image", "features"
_TYPES = {np.dtype(np.float32): 1, np.dtype(np.uint8): 2}
_TO_CHANNELS_FIRST, _TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
_ACTIVATIONS = schema.ActivationFunctionType
_OPERATORS = schema.BuiltinOperator


class NotConvertibleError(ValueError):
    """The graph has an operator that this module does not know."""


def to_onnx(graph: bytes) -> bytes:
    """An ONNX model: uint8 [n, size, size, 3] to the feature map float32 [n, rows, columns, m].

    Raises NotConvertibleError.
    """
    model = schema.ModelT.InitFromPackedBuf(graph, 0)
    return _Converter(model).model()


class _Converter:
    def __init__(self, model: "schema.ModelT") -> None:
        self._codes = [code.builtinCode for code in model.operatorCodes]
        self._buffers = model.buffers
        [self._graph] = model.subgraphs
        self._nodes: list[bytes] = []
        self._constants: dict[str, bytes] = {}

    def model(self) -> bytes:
        [first], [last] = self._graph.inputs, self._graph.outputs
        self._add("Transpose", [INPUT], _name(first), perm=_TO_CHANNELS_FIRST)
        for operator in self._graph.operators:
            self._convert(operator)
        self._add("Transpose", [_name(last)], OUTPUT, perm=_TO_CHANNELS_LAST)
        described = (
            *(_field(1, node) for node in self._nodes),
            _field(2, "ripeline"),
            *(_field(5, constant) for constant in self._constants.values()),
            _field(11, self._described(INPUT, first, np.uint8)),
            _field(12, self._described(OUTPUT, last, np.float32)),
        )
        opset = _field(1, "") + _field(2, OPSET)
        graph = _field(7, b"".join(described))
        return _field(1, IR_VERSION) + _field(2, "Ripeline") + graph + _field(8, opset)

    def _convert(self, operator: "schema.OperatorT") -> None:
        code, options = self._codes[operator.opcodeIndex], operator.builtinOptions
        [output] = operator.outputs
        if code == _OPERATORS.CAST:
            self._add("Cast", [_name(operator.inputs[0])], _name(output), to=1)
        elif code in (_OPERATORS.ADD, _OPERATORS.MUL):
            kind = "Add" if code == _OPERATORS.ADD else "Mul"
            inputs = [self._value(one) for one in operator.inputs]
            self._activated(kind, inputs, output, options.fusedActivationFunction)
        elif code in (_OPERATORS.CONV_2D, _OPERATORS.DEPTHWISE_CONV_2D):
            is_depthwise = code == _OPERATORS.DEPTHWISE_CONV_2D
            self._convolution(operator, is_depthwise=is_depthwise)
        else:
            raise NotConvertibleError(f"operator {code} of LiteRT has no ONNX form here")

    def _convolution(self, operator: "schema.OperatorT", *, is_depthwise: bool) -> None:
        """Kernels are [m, rows, columns, c] in LiteRT, [1, rows, columns, m] if depthwise."""
        image, kernel, bias = operator.inputs
        options = operator.builtinOptions
        [output] = operator.outputs
        order = (3, 0, 1, 2) if is_depthwise else _TO_CHANNELS_FIRST
        weights = self._array(kernel).transpose(order)
        self._activated(
            "Conv",
            [
                _name(image),
                self._constant(kernel, weights),
                self._constant(bias, self._array(bias)),
            ],
            output,
            options.fusedActivationFunction,
            group=int(self._graph.tensors[image].shape[3]) if is_depthwise else 1,
            strides=(options.strideH, options.strideW),
            dilations=(options.dilationHFactor, options.dilationWFactor),
            auto_pad="SAME_UPPER" if options.padding == schema.Padding.SAME else "VALID",
        )

    def _activated(
        self, kind: str, inputs: Sequence[str], output: int, activation: int, **attributes: Any
    ) -> None:
        """Add an operator, and the activation that LiteRT fuses into it."""
        name = _name(output)
        if activation == _ACTIVATIONS.NONE:
            self._add(kind, inputs, name, **attributes)
            return
        if activation not in (_ACTIVATIONS.RELU, _ACTIVATIONS.RELU6):
            raise NotConvertibleError(f"activation {activation} of LiteRT has no ONNX form here")
        before = f"{name}_before"
        self._add(kind, inputs, before, **attributes)
        if activation == _ACTIVATIONS.RELU:
            self._add("Relu", [before], name)
            return
        for bound in (0, 6):
            self._constants[f"bound_{bound}"] = _tensor(f"bound_{bound}", np.float32(bound))
        self._add("Clip", [before, "bound_0", "bound_6"], name)

    def _value(self, index: int) -> str:
        """The name of an image, or of a constant with a single number, which is added."""
        tensor = self._graph.tensors[index]
        if self._buffers[tensor.buffer].data is None:
            return _name(index)
        values = self._array(index)
        if values.size > 1:
            raise NotConvertibleError("a constant for each channel has no ONNX form here")
        return self._constant(index, values)

    def _array(self, index: int) -> NDArray[np.float32]:
        tensor = self._graph.tensors[index]
        data = self._buffers[tensor.buffer].data
        if tensor.type != schema.TensorType.FLOAT32 or data is None:
            raise NotConvertibleError("weights that are not float32 have no ONNX form here")
        return np.frombuffer(bytes(data), np.float32).reshape(list(tensor.shape))

    def _constant(self, index: int, values: NDArray[np.float32]) -> str:
        self._constants[_name(index)] = _tensor(_name(index), values)
        return _name(index)

    def _described(self, name: str, index: int, dtype: type[np.generic]) -> bytes:
        """An input or output of the graph, for any number of images."""
        sizes = (
            _field(2, "n"),
            *(_field(1, int(one)) for one in self._graph.tensors[index].shape[1:]),
        )
        shape = b"".join(_field(1, size) for size in sizes)
        kind = _field(1, _TYPES[np.dtype(dtype)]) + _field(2, shape)
        return _field(1, name) + _field(2, _field(1, kind))

    def _add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        names = b"".join(_field(1, name) for name in inputs)
        described = b"".join(_field(5, _attribute(*one)) for one in attributes.items())
        self._nodes.append(names + _field(2, output) + _field(4, kind) + described)


def _name(index: int) -> str:
    return f"tensor_{index}"


def _tensor(name: str, values: NDArray[np.float32] | np.float32) -> bytes:
    dimensions = b"".join(_field(1, size) for size in values.shape)
    kind = _field(2, _TYPES[values.dtype])
    return dimensions + kind + _field(8, name) + _field(9, values.tobytes())


def _attribute(name: str, value: int | str | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _field(1, name) + _field(3, value) + _field(20, 2)
    if isinstance(value, str):
        return _field(1, name) + _field(4, value) + _field(20, 3)
    return _field(1, name) + b"".join(_field(8, one) for one in value) + _field(20, 7)


def _field(number: int, value: int | str | bytes) -> bytes:
    """One field of a Protocol Buffers message; a number must not be negative."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
