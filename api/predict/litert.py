"""Running a backbone in LiteRT: one interpreter a thread, each on one core."""

import threading

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray


class LiteRTBackbone:
    """A compiled backbone: uint8 [1, size, size, 3] to feature map float32 [1, h, w, channels].

    May be called from any number of threads: an interpreter must not be shared by two, so each
    thread gets its own at its first call.
    """

    def __init__(self, graph: bytes) -> None:
        self._graph = graph
        self._local = threading.local()

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        interpreter, source, target = self._interpreter()
        interpreter.set_tensor(source, pixels)
        interpreter.invoke()
        feature_map: NDArray[np.float32] = interpreter.get_tensor(target)
        return feature_map

    def _interpreter(self) -> tuple[Interpreter, int, int]:
        if not hasattr(self._local, "ready"):
            interpreter = Interpreter(model_content=self._graph, num_threads=1)
            interpreter.allocate_tensors()
            source = interpreter.get_input_details()[0]["index"]
            target = interpreter.get_output_details()[0]["index"]
            self._local.ready = (interpreter, source, target)
        ready: tuple[Interpreter, int, int] = self._local.ready
        return ready
