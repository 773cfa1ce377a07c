"""A photograph of 12 megapixels: as this service reads it, and decoded whole with Pillow."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
from PIL import Image

from api.model.package import load_package
from api.model.predictor import Predictor
from api.settings import PROJECT
from benchmarks.machine import SERVER, on
from benchmarks.pictures import TWELVE_MEGAPIXELS, photograph
from benchmarks.plan import Plan
from benchmarks.terminal import Show

QUALITY = 93


@dataclass(frozen=True)
class LargeFigures:
    """Milliseconds of the processor, medians; `megabytes` of the file."""

    megabytes: float
    whole: float
    ours: float
    ratio: float


def measure(plan: Plan, show: Show) -> LargeFigures:
    data = photograph(TWELVE_MEGAPIXELS, quality=QUALITY)
    with on(SERVER):
        runtime = Predictor.of_package(load_package(PROJECT / "models" / "default"), threads=1)
        size = runtime.manifest.input_size

        def whole() -> None:
            image = Image.open(io.BytesIO(data)).convert("RGB")
            square = image.resize((size, size), Image.Resampling.BILINEAR)
            runtime.probabilities(runtime.forward(np.asarray(square)))

        def ours() -> None:
            runtime.probabilities(runtime.core(runtime.pre(data)))

        times = [
            (_milliseconds(whole), _milliseconds(ours))
            for _ in show.over(range(plan.large_repeats), "12 megapixels")
        ]
    ratios = [slow / quick for slow, quick in times]
    slow, quick = (median(column) for column in zip(*times, strict=True))
    return LargeFigures(len(data) / 1e6, slow, quick, median(ratios))


def _milliseconds(work: Callable[[], None]) -> float:
    # Of the processor: both work alone on one thread, so that others on the machine do not count.
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000
