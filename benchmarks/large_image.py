"""Grading a 12-megapixel JPEG: this service compared with full decoding in Pillow."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
from PIL import Image

from api.core.imaging.resize import to_input
from api.core.process_tuning import tune_malloc
from benchmarks.machine import SERVER, on
from benchmarks.peers.grading import default_predictor
from benchmarks.plan import Plan
from benchmarks.sample_images import TWELVE_MEGAPIXELS, sample_image
from benchmarks.terminal import Show

QUALITY = 93


@dataclass(frozen=True)
class LargeImageFigures:
    """Median CPU milliseconds, and the file size in `megabytes`."""

    megabytes: float
    full: float
    ours: float
    ratio: float


def measure(plan: Plan, show: Show) -> LargeImageFigures:
    data = sample_image(TWELVE_MEGAPIXELS, quality=QUALITY)
    with on(SERVER):
        tune_malloc()  # As the service does.
        predictor = default_predictor()
        size = predictor.manifest.input_size

        def full() -> None:
            image = Image.open(io.BytesIO(data)).convert("RGB")
            square = image.resize((size, size), Image.Resampling.BILINEAR)
            predictor.probabilities(np.asarray(square))

        def ours() -> None:
            predictor.probabilities(to_input(predictor.decode(data).image, size))

        times = [
            (_milliseconds(full), _milliseconds(ours))
            for _ in show.over(range(plan.large_repeats), "12 megapixels")
        ]
    ratios = [slow / fast for slow, fast in times]
    slow, fast = (median(column) for column in zip(*times, strict=True))
    return LargeImageFigures(len(data) / 1e6, slow, fast, median(ratios))


def _milliseconds(function: Callable[[], None]) -> float:
    # Both run on one thread, so CPU time is independent of other load.
    started = time.process_time()
    function()
    return (time.process_time() - started) * 1000
