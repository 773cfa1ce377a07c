"""Running a graph in OpenVINO.

Where the processor computes in bfloat16, most of the network does too: about 1.6 times as fast as
LiteRT, with probabilities that differ in the third digit. The first layers stay in f32, since their
rounding errors would grow from layer to layer (docs/log/inference.md).
"""

import tempfile
from collections import deque
from functools import cache
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13

from api.core.arrays import FloatArray
from api.model.engines.litert import FORWARD_BATCH

_DEVICE = "CPU"
_CONVOLUTIONS = ("Convolution", "GroupConvolution")
# The share of the convolutions that stays in single precision.
_SHARE_IN_F32 = 1 / 4
# One request for each part of the graph, in their order.
_Requests = list["openvino.InferRequest"]


class OpenVINOBackbone:
    """A compiled LiteRT graph: uint8 [n, size, size, 3] to float32 [n, h, w, channels].

    Thread-safe: each call takes idle requests from the pool, or makes others. At most `streams`
    calls run at once, on one core each; others wait. The pool keeps requests for that many.

    Results are the same to the bit whatever the batch size. A graph with a fixed batch size of one
    runs image by image.
    """

    name = "openvino"

    def __init__(self, graph: bytes, streams: int, warm: int = 0) -> None:
        """Starts with `warm` requests that have run once, so even the first call is fast.

        Raises ValueError for a graph that OpenVINO cannot run.
        """
        self._graph = graph
        self._streams = streams
        self._idle: deque[_Requests] = deque(maxlen=streams)
        self._parts, self.precision, self._supports_batches = self._compile()
        self._warm_up(warm)

    def __call__(self, pixels: NDArray[np.uint8]) -> FloatArray:
        if len(pixels) > 1 and not self._supports_batches:
            return np.concatenate([self(image[None]) for image in pixels])
        try:
            requests = self._idle.pop()
        except IndexError:
            requests = self._make_requests()
        between = pixels
        for request in requests[:-1]:  # The next request reads the output in place.
            between = request.infer({0: between}, share_inputs=True, share_outputs=True)[0]
        output: FloatArray = requests[-1].infer({0: between}, share_inputs=True)[0]
        self._idle.append(requests)  # Those that failed are not put back.
        return output

    def release(self) -> None:
        """Free the memory of the compiled graph; the next call compiles it again."""
        self._parts = []
        self._idle.clear()

    def _make_requests(self) -> _Requests:
        parts = self._parts
        if not parts:
            self._parts = parts = self._compile()[0]
        return [part.create_infer_request() for part in parts]

    def _compile(self) -> tuple[list["openvino.CompiledModel"], str, bool]:
        """The parts of the graph, the lowest precision, and whether they take batches."""
        try:
            with tempfile.TemporaryDirectory(prefix="ripeline-graph-") as folder:
                path = Path(folder, "graph.tflite")  # OpenVINO reads LiteRT graphs only from files.
                path.write_bytes(self._graph)
                model = _core().read_model(path)
                supports_batches = _take_batches(model)
                parts = _cut(model) if has_bfloat16() else None
                if parts is None:
                    return [self._compiled(model, "f32")], "f32", supports_batches
                first, last = parts
                compiled = [self._compiled(first, "f32"), self._compiled(last, "bf16")]
                return compiled, "bf16", supports_batches
        except (RuntimeError, OSError) as error:
            raise ValueError(f"OpenVINO cannot run the graph: {error}") from error

    def _compiled(self, model: "openvino.Model", precision: str) -> "openvino.CompiledModel":
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": self._streams,
            "INFERENCE_NUM_THREADS": self._streams,
            # Pinned threads of several processes would share some cores and leave others idle.
            "ENABLE_CPU_PINNING": False,
        }
        return _core().compile_model(model, _DEVICE, options)

    def _warm_up(self, calls: int) -> None:
        """Run on empty input, so that all memory is allocated now."""
        side = self._parts[0].inputs[0].get_partial_shape()[1].get_length()
        made = [self._make_requests() for _ in range(calls)]
        sizes = (FORWARD_BATCH, 1) if self._supports_batches else (1,)
        for requests in made:
            for size in sizes:
                self._idle.append(requests)
                self(np.zeros((size, side, side, 3), np.uint8))
                self._idle.clear()
        self._idle.extend(made)


def has_bfloat16() -> bool:
    """Whether the processor computes in bfloat16."""
    return "BF16" in _core().get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")


@cache
def _core() -> "openvino.Core":
    return openvino.Core()


def _take_batches(model: "openvino.Model") -> bool:
    """Let the model take batches of any size; False if its batch size is fixed."""
    shape = model.inputs[0].get_partial_shape()
    any_size = openvino.PartialShape(shape)
    any_size[0] = openvino.Dimension()
    try:
        model.reshape(any_size)
    except RuntimeError:
        model.reshape(shape)
        return False
    return True


def _cut(model: "openvino.Model") -> tuple["openvino.Model", "openvino.Model"] | None:
    """The first layers and the others; None if no single tensor connects them.

    The cut is before a convolution, after _SHARE_IN_F32 of them; if that is inside a residual
    block, at the end of the block.
    """
    count = len(_convolutions(model))
    for k in range(round(_SHARE_IN_F32 * count), count):
        first, last = model.clone(), model.clone()
        source = _convolutions(first)[k].input(0).get_source_output()
        tensor = _convolutions(last)[k].input(0).get_source_output()
        between = opset13.parameter(tensor.get_partial_shape(), tensor.get_element_type())
        for consumer in tensor.get_target_inputs():
            consumer.replace_source_output(between.output(0))
        end = source.get_node().output(source.get_index())
        try:
            return (
                openvino.Model([end], first.get_parameters()),
                openvino.Model(last.get_results(), [between]),
            )
        except RuntimeError:  # More than one tensor crosses the cut.
            continue
    return None


def _convolutions(model: "openvino.Model") -> list["openvino.Node"]:
    """In the order of computation."""
    return [node for node in model.get_ordered_ops() if node.get_type_name() in _CONVOLUTIONS]
