"""Which engine runs a graph.

`auto` takes OpenVINO on processors that compute in bfloat16, where it is 1.6 times as fast, and
LiteRT on all others, where the two are equally fast and LiteRT needs half the memory
(docs/adr/0006-engines.md).
"""

import logging
import time
from collections.abc import Callable
from statistics import median
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from api.core.arrays import FloatArray
from api.model.engines.litert import LiteRTBackbone
from api.model.engines.processor import may_have_bfloat16, processor
from api.settings import EngineName, usable_cores

TIMED_PASSES = 5
log = logging.getLogger(__name__)


class CompiledGraph(Protocol):
    """A compiled graph: uint8 [n, size, size, 3] to float32 [n, h, w, channels]. Thread-safe.

    `precision` is `f32` or `bf16`.
    """

    name: str
    precision: str

    def __call__(self, pixels: NDArray[np.uint8], /) -> FloatArray: ...

    def release(self) -> None:
        """Free memory that the next call will take again."""


class EngineInfo(BaseModel):
    """The inference engine that runs the model in this process."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Name of the engine: `litert` or `openvino`.")
    precision: str = Field(description="Numeric precision: `f32` or `bf16`.")
    milliseconds: float = Field(
        description="Duration of one photo's forward pass on one core, measured when the model "
        "was loaded."
    )
    processor: str = Field(
        "",
        description="Name of the processor, with its family and model on Linux; empty if unknown.",
    )


# Raises ValueError for a graph that does not compute what it should.
Check = Callable[[CompiledGraph], None]


def open_graph(graph: bytes, check: Check, engine: EngineName, threads: int = 0) -> CompiledGraph:
    """Compile a LiteRT graph, warm for `threads` concurrent calls, and check it.

    With `auto`, LiteRT runs what OpenVINO cannot run, or runs with other results. Raises ValueError
    or RuntimeError for a graph that the engine cannot run, and what `check` raises.
    """
    if engine == "openvino" or (engine == "auto" and _prefers_openvino()):
        try:
            compiled = _open_openvino(graph, threads)
            check(compiled)
        except ValueError as error:
            if engine == "openvino":
                raise
            log.warning("LiteRT is used in place of OpenVINO. %s", error)
        else:
            return compiled
    reference = LiteRTBackbone(graph, threads)
    check(reference)
    return reference


def time_graph(compiled: CompiledGraph, size: int) -> EngineInfo:
    """Time one photo of this size: the median of TIMED_PASSES."""
    blank = np.zeros((1, size, size, 3), np.uint8)
    times = []
    for _ in range(TIMED_PASSES):
        started = time.perf_counter()
        compiled(blank)
        times.append(time.perf_counter() - started)
    return EngineInfo(
        name=compiled.name,
        precision=compiled.precision,
        milliseconds=round(median(times) * 1000, 2),
        processor=processor(),
    )


def _prefers_openvino() -> bool:
    if not may_have_bfloat16():
        return False
    try:
        from api.model.engines.openvino import has_bfloat16  # noqa: PLC0415  (may be missing)

        return has_bfloat16()
    except (ImportError, RuntimeError) as error:  # Not installed, or not for this processor.
        log.info("LiteRT is used: OpenVINO is not usable here (%s).", error)
        return False


def _open_openvino(graph: bytes, threads: int) -> CompiledGraph:
    try:
        from api.model.engines.openvino import OpenVINOBackbone  # noqa: PLC0415  (may be missing)
    except ImportError as error:
        raise ValueError(f"OpenVINO is not installed: {error}") from error
    return OpenVINOBackbone(graph, threads or usable_cores(), threads)
