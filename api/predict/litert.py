"""Running a backbone in LiteRT: interpreters that calls take turns with, each on one core."""

from collections import deque

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray


class LiteRTBackbone:
    """A compiled backbone: uint8 [1, size, size, 3] to feature map float32 [1, h, w, channels].

    May be called from any number of threads: an interpreter must not be used by two at once, so
    each call takes one that is idle and puts it back; where none is, it makes another. They belong
    to no thread, so that whoever loads a model can warm it up while another serves, and all of
    them go when the backbone goes.
    """

    def __init__(self, graph: bytes, ready: int = 0) -> None:
        """With `ready`, so many interpreters are made and run once, to be fast from the start.

        Raises ValueError or RuntimeError for a graph that LiteRT cannot run.
        """
        self._graph = graph
        first = self._interpreter()
        # Asking an interpreter for these takes longer than copying the pixels in.
        self._input: int = first.get_input_details()[0]["index"]
        self._output: int = first.get_output_details()[0]["index"]
        self._idle = deque([first, *(self._interpreter() for _ in range(ready - 1))])
        if ready:
            for interpreter in self._idle:
                interpreter.invoke()  # Whatever lies in its input.

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            interpreter = self._idle.pop()
        except IndexError:
            interpreter = self._interpreter()
        interpreter.set_tensor(self._input, pixels)
        interpreter.invoke()
        feature_map: NDArray[np.float32] = interpreter.get_tensor(self._output)
        self._idle.append(interpreter)  # One that failed is not put back.
        return feature_map

    def _interpreter(self) -> Interpreter:
        interpreter = Interpreter(model_content=self._graph, num_threads=1)
        interpreter.allocate_tensors()
        return interpreter
