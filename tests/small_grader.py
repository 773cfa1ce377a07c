"""A grader of 40 kB for tests of the service that do not look at its grades.

Its classes, input size and manifest are the shipped grader's; its network is one layer on the mean
colours of 25 squares. A service starts with it in a third of the time.
"""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from api.core.heads import Head
from api.model.engines.litert import LiteRTBackbone
from api.model.manifest import Manifest
from api.model.package import BACKBONE, HEAD, REPLAY, read_manifest, write_package
from api.model.probe import grade_probe
from api.model.replay_buffer import ReplayBuffer
from api.settings import PROJECT
from tests.heads import make_two_heads
from tests.registry.samples import make_ood_samples, without_appearance

VERSION = "20261129-000000-small"
ROTTEN_BELOW, FRESH_FROM = 0.25, 0.75
SQUARES = 5
CHANNELS = 8
# Photos in the replay buffer; a third of them are in the test split.
PHOTOS = 300
_SHIPPED = read_manifest(PROJECT / "models" / "default")
_SIZE, _CLASSES = _SHIPPED.input_size, _SHIPPED.classes


def write_small_grader(folder: Path, version: str = VERSION, seed: int = 0) -> Path:
    """Write the package to `folder`, and return `folder`. `seed` draws the weights of its head."""
    graph, head = small_graph(CHANNELS), _head(seed)

    def fill(parts: Path) -> None:
        (parts / BACKBONE).write_bytes(graph)
        head.save(parts / HEAD)
        _replay().save(parts / REPLAY)

    def describe(files: dict[str, str]) -> Manifest:
        update = {
            "version": version,
            "created_at": datetime.now(UTC),
            "feature_shape": (SQUARES, SQUARES, CHANNELS),
            "thresholds": head.thresholds,
            "files": files,
            "probe": grade_probe(LiteRTBackbone(graph), head, _SIZE),
            "detector": None,
        }
        return _SHIPPED.model_copy(update=update)

    write_package(folder, fill, describe)
    return folder


@cache
def small_graph(channels: int, background: int = 0) -> bytes:
    """A LiteRT graph: uint8 [n, size, size, 3] to float32 [n, 5, 5, channels].

    A square of the grey value `background` gives 0.1 on every channel.
    """
    model = schema.ModelT()
    model.version = 3
    random = np.random.default_rng(0)
    weights = random.normal(size=(channels, 1, 1, 3), scale=1 / 255).astype(np.float32)
    bias = (0.1 - background * weights.sum(axis=(1, 2, 3))).astype(np.float32)
    model.buffers = [_buffer(data) for data in (b"", weights.tobytes(), bias.tobytes())]
    model.operatorCodes = [
        _operator_code(schema.BuiltinOperator.CAST),
        _operator_code(schema.BuiltinOperator.AVERAGE_POOL_2D),
        _operator_code(schema.BuiltinOperator.CONV_2D),
    ]
    pooling, convolution = schema.Pool2DOptionsT(), schema.Conv2DOptionsT()
    pooling.padding = convolution.padding = schema.Padding.VALID
    pooling.filterHeight = pooling.filterWidth = _SIZE // SQUARES
    pooling.strideH = pooling.strideW = _SIZE // SQUARES
    convolution.strideH = convolution.strideW = 1
    convolution.fusedActivationFunction = schema.ActivationFunctionType.RELU
    graph = schema.SubGraphT()
    graph.tensors = [
        _tensor((1, _SIZE, _SIZE, 3), kind=schema.TensorType.UINT8),
        _tensor((1, _SIZE, _SIZE, 3)),
        _tensor((1, SQUARES, SQUARES, 3)),
        _tensor(weights.shape, buffer=1),
        _tensor(bias.shape, buffer=2),
        _tensor((1, SQUARES, SQUARES, channels)),
    ]
    graph.inputs, graph.outputs = [0], [5]
    graph.operators = [
        _operator(0, [0], 1, schema.BuiltinOptions.NONE, None),
        _operator(1, [1], 2, schema.BuiltinOptions.Pool2DOptions, pooling),
        _operator(2, [2, 3, 4], 5, schema.BuiltinOptions.Conv2DOptions, convolution),
    ]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(
    shape: tuple[int, ...], buffer: int = 0, kind: int = schema.TensorType.FLOAT32
) -> "schema.TensorT":
    tensor = schema.TensorT()
    tensor.shape, tensor.buffer, tensor.type = list(shape), buffer, kind
    return tensor


def _operator(
    code: int, inputs: list[int], output: int, kind: int, options: object
) -> "schema.OperatorT":
    """An operator; `code` is an index into `operatorCodes`, the others are indices into
    `tensors`."""
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, [output]
    operator.builtinOptionsType, operator.builtinOptions = kind, options
    return operator


def _operator_code(builtin: int) -> "schema.OperatorCodeT":
    code = schema.OperatorCodeT()
    code.deprecatedBuiltinCode = code.builtinCode = builtin
    return code


def _buffer(data: bytes) -> "schema.BufferT":
    buffer = schema.BufferT()
    buffer.data = list(data)
    return buffer


def _head(seed: int) -> Head:
    """A head that recognises everything."""
    random = np.random.default_rng(seed)
    return make_two_heads(
        random.normal(size=(CHANNELS, len(_CLASSES) // 2), scale=3),
        random.normal(size=CHANNELS),
        classes=_CLASSES,
        rotten_below=ROTTEN_BELOW,
        fresh_from=FRESH_FROM,
    )


def _replay() -> ReplayBuffer:
    random = np.random.default_rng(0)
    numbers = np.arange(PHOTOS)
    return ReplayBuffer(
        embeddings=random.uniform(0, 1, (PHOTOS, CHANNELS)).astype(np.float32),
        targets=np.eye(len(_CLASSES), dtype=np.float32)[numbers % len(_CLASSES)],
        splits=np.array(["train", "validation", "test"])[numbers // len(_CLASSES) % 3],
        photographs=np.array([f"drawn/{number}" for number in numbers]),
        sha256=np.array([f"{number:064x}" for number in numbers]),
        signatures=random.integers(0, 256, (PHOTOS, 80), dtype=np.uint8),
        catalog=np.zeros(PHOTOS, bool),
        **without_appearance(PHOTOS, CHANNELS),
        others=make_ood_samples(random.normal(size=(12, CHANNELS)).astype(np.float32)),
    )
