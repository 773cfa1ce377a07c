"""Running a backbone in LiteRT: a pool of single-threaded interpreters."""

from collections import deque
from contextlib import nullcontext
from threading import Lock

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from api.core.log_setup import without_native_line
from api.settings import usable_cores

# Images per forward pass: faster than one by one; more need much more memory for little speed.
FORWARD_BATCH = 2
_FIRST = Lock()


class LiteRTBackbone:
    """A compiled backbone: uint8 [n, size, size, 3] to feature maps float32 [n, h, w, channels].

    Thread-safe: an interpreter must not be shared by threads, so each call takes an idle one from
    the pool, or makes another. The pool keeps as many as were warmed up, or one per core.
    Interpreters are not tied to a thread: one thread can warm up a model that others will use.

    Results are the same to the bit whatever the batch size. A graph with a fixed batch size of one
    runs image by image.
    """

    name = "litert"
    precision = "f32"

    def __init__(self, graph: bytes, warm: int = 0) -> None:
        """Starts with `warm` interpreters that have run once, so even the first call is fast.

        Raises ValueError or RuntimeError for a graph that LiteRT cannot run.
        """
        self._graph = graph
        # Of limited length: each takes up to 24 MB, and a burst of calls would leave many.
        self._idle = deque(
            (_Interpreter(graph) for _ in range(max(1, warm))), maxlen=warm or usable_cores()
        )
        self.supports_batches = self._idle[0].supports_batches()
        if warm:
            for interpreter in self._idle:
                interpreter.warm_up(FORWARD_BATCH if self.supports_batches else 1)

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        if len(pixels) > 1 and not self.supports_batches:
            return np.concatenate([self(image[None]) for image in pixels])
        try:
            interpreter = self._idle.pop()
        except IndexError:
            interpreter = _Interpreter(self._graph)
        feature_maps = interpreter(pixels)
        self._idle.append(interpreter)  # One that failed is not put back.
        return feature_maps

    def release(self) -> None:
        """Free the memory of the idle interpreters; the next call makes one."""
        self._idle.clear()


class _Interpreter:
    """An interpreter whose tensors are allocated for the last batch size."""

    def __init__(self, graph: bytes) -> None:
        # LiteRT logs once per process that it uses XNNPACK; this lock is taken once and kept.
        with without_native_line(b"XNNPACK") if _FIRST.acquire(blocking=False) else nullcontext():
            self._interpreter = Interpreter(model_content=graph, num_threads=1)
            self._interpreter.allocate_tensors()
        # Cached: asking the interpreter takes longer than copying the pixels in.
        details = self._interpreter.get_input_details()[0]
        self._input: int = details["index"]
        self._image_shape = tuple(details["shape"][1:])
        self._output: int = self._interpreter.get_output_details()[0]["index"]
        self._batch_size = 1

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        if len(pixels) != self._batch_size:
            self._resize(len(pixels))
        self._interpreter.set_tensor(self._input, pixels)
        self._interpreter.invoke()
        feature_maps: NDArray[np.float32] = self._interpreter.get_tensor(self._output)
        return feature_maps

    def warm_up(self, batch_size: int) -> None:
        """Run on uninitialised input, so that all memory is allocated now."""
        for size in (batch_size, 1):
            self._resize(size)
            self._interpreter.invoke()

    def supports_batches(self) -> bool:
        """False for a graph exported with a fixed batch size of one, as for small inputs."""
        try:
            self._resize(FORWARD_BATCH)
        except RuntimeError:
            return False
        finally:
            self._resize(1)
        return True

    def _resize(self, batch_size: int) -> None:
        self._interpreter.resize_tensor_input(self._input, (batch_size, *self._image_shape))
        self._interpreter.allocate_tensors()
        self._batch_size = batch_size
