"""Running a graph in OpenVINO: one compiled model, and a pool of its inference requests.

In bfloat16 it is about twice as fast as LiteRT on a processor with instructions for it, and as fast
in single precision (docs/log/inference.md).
"""

import tempfile
from collections import deque
from functools import cache
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

from api.core.arrays import FloatArray
from api.model.engines.litert import FORWARD_BATCH

_DEVICE = "CPU"


class OpenVINOBackbone:
    """A compiled LiteRT graph: uint8 [n, size, size, 3] to float32 [n, h, w, channels].

    Thread-safe: each call takes an idle request from the pool, or makes another. At most `streams`
    calls run at once, on one core each; more wait for each other.

    Results do not depend on the batch size, to the bit. A graph with a fixed batch size of one runs
    image by image.
    """

    name = "openvino"

    def __init__(self, graph: bytes, streams: int, warm: int = 0) -> None:
        """Starts with `warm` requests that have run once, so the first call is fast as well.

        Raises ValueError for a graph that OpenVINO cannot run.
        """
        self._graph = graph
        self._streams = streams
        self._idle: deque[openvino.InferRequest] = deque()
        self._model: openvino.CompiledModel | None
        self._model, self.precision, self._batched = self._compile()
        self._warm_up(warm)

    def __call__(self, pixels: NDArray[np.uint8]) -> FloatArray:
        if len(pixels) > 1 and not self._batched:
            return np.concatenate([self(image[None]) for image in pixels])
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._make_request()
        # The input is read in place, and the output is copied.
        output: FloatArray = request.infer({0: pixels}, share_inputs=True)[0]
        self._idle.append(request)  # One that failed is not put back.
        return output

    def release(self) -> None:
        """Free the memory of the compiled model; the next call compiles it again."""
        self._model = None
        self._idle.clear()

    def _make_request(self) -> "openvino.InferRequest":
        if self._model is None:
            self._model, _, _ = self._compile()
        return self._model.create_infer_request()

    def _compile(self) -> tuple["openvino.CompiledModel", str, bool]:
        """The model, its precision as in `f32`, and whether it takes batches."""
        precision = "bf16" if has_bfloat16() else "f32"
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": self._streams,
            "INFERENCE_NUM_THREADS": self._streams,
            # Pinned threads of several processes would share some cores and leave others idle.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            with tempfile.TemporaryDirectory(prefix="ripeline-graph-") as folder:
                path = Path(folder, "graph.tflite")  # It reads such graphs from files alone.
                path.write_bytes(self._graph)
                model = _core().read_model(path)
                batched = _take_batches(model)
                compiled = _core().compile_model(model, _DEVICE, options)
        except (RuntimeError, OSError) as error:
            raise ValueError(f"OpenVINO cannot run the graph: {error}") from error
        return compiled, precision, batched

    def _warm_up(self, requests: int) -> None:
        """Run on empty input, so that all memory is allocated now."""
        side = self._model.inputs[0].get_partial_shape()[1].get_length()
        made = [self._make_request() for _ in range(requests)]
        for request in made:
            for size in (FORWARD_BATCH, 1) if self._batched else (1,):
                request.infer({0: np.zeros((size, side, side, 3), np.uint8)})
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
    batched = openvino.PartialShape(shape)
    batched[0] = openvino.Dimension()
    try:
        model.reshape(batched)
    except RuntimeError:
        model.reshape(shape)
        return False
    return True
