"""Running a backbone in LiteRT: interpreters that calls take turns with, each on one core."""

from collections import deque

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

# Photographs for one forward pass: together they take less time than one after the other, and more
# than these need much more memory for little more speed.
FORWARD_BATCH = 2


class LiteRTBackbone:
    """A compiled backbone: uint8 [n, size, size, 3] to feature maps float32 [n, h, w, channels].

    A few photographs in one call take less time than as many calls, and give the same to the bit; a
    graph that does not take several is given them one by one. May be called from any number of
    threads: an interpreter must not be used by two at once, so each call takes one that is idle and
    puts it back; where none is, it makes another. They belong to no thread, so that whoever loads a
    model can warm it up while another serves, and all of them go when the backbone goes.
    """

    def __init__(self, graph: bytes, ready: int = 0) -> None:
        """With `ready`, so many interpreters are made and run once, to be fast from the start.

        Raises ValueError or RuntimeError for a graph that LiteRT cannot run.
        """
        self._graph = graph
        self._idle = deque(_Network(graph) for _ in range(max(1, ready)))
        self.takes_several = self._idle[0].takes_several()
        if ready:
            for network in self._idle:
                network.warm_up(FORWARD_BATCH if self.takes_several else 1)

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        if len(pixels) > 1 and not self.takes_several:
            return np.concatenate([self(picture[None]) for picture in pixels])
        try:
            network = self._idle.pop()
        except IndexError:
            network = _Network(self._graph)
        feature_maps = network(pixels)
        self._idle.append(network)  # One that failed is not put back.
        return feature_maps


class _Network:
    """An interpreter, laid out for as many photographs as it was given last."""

    def __init__(self, graph: bytes) -> None:
        self._interpreter = Interpreter(model_content=graph, num_threads=1)
        self._interpreter.allocate_tensors()
        # Asking an interpreter for these takes longer than copying the pixels in.
        taken = self._interpreter.get_input_details()[0]
        self._input: int = taken["index"]
        self._picture = tuple(taken["shape"][1:])
        self._output: int = self._interpreter.get_output_details()[0]["index"]
        self._count = 1

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        if len(pixels) != self._count:
            self._lay_out(len(pixels))
        self._interpreter.set_tensor(self._input, pixels)
        self._interpreter.invoke()
        feature_maps: NDArray[np.float32] = self._interpreter.get_tensor(self._output)
        return feature_maps

    def warm_up(self, most: int) -> None:
        """Run on whatever lies in the input, so that no memory is taken later on."""
        for count in (most, 1):
            self._lay_out(count)
            self._interpreter.invoke()

    def takes_several(self) -> bool:
        """Not where the graph names the one photograph that it was exported for, as those of small
        inputs do.
        """
        try:
            self._lay_out(FORWARD_BATCH)
        except RuntimeError:
            return False
        finally:
            self._lay_out(1)
        return True

    def _lay_out(self, count: int) -> None:
        self._interpreter.resize_tensor_input(self._input, (count, *self._picture))
        self._interpreter.allocate_tensors()
        self._count = count
