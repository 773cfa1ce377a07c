"""Grading five fruits in a photo, compared with the photo as a whole, on one core."""

from dataclasses import dataclass
from statistics import median
from time import process_time

import numpy as np
from numpy.typing import NDArray

from api.core.boxes import Box
from api.core.process_tuning import tune_malloc
from api.model.detector import Detection
from api.model.instances import grade_instances
from api.model.predictor import Finder, Predictor, PredictRequest
from benchmarks.machine import SERVER, on
from benchmarks.peers.grading import default_predictor
from benchmarks.plan import Plan
from benchmarks.sample_images import MEDIUM, sample_image
from benchmarks.terminal import Show

# x and y of the fruits in a phone photo of 640 x 480, each 180 pixels wide and high.
PLACES = ((20, 20), (230, 10), (440, 30), (120, 260), (340, 270))
SIDE = 180


@dataclass(frozen=True)
class InstanceFigures:
    """Median CPU milliseconds of a plain prediction and of one with instances."""

    plain: float
    instances: float
    ratio: float


def measure(plan: Plan, show: Show) -> InstanceFigures:
    data = sample_image(MEDIUM)
    with on(SERVER):
        tune_malloc()  # As the service does.
        predictor = default_predictor()
        if predictor.detector is None:
            raise RuntimeError("The default package has no detector.")
        predictor.detector = _finds_five(predictor.detector)
        times = []
        for _ in show.over(range(plan.large_repeats), "Five fruits in a photo"):
            plain = _milliseconds(predictor, PredictRequest(data))
            times.append((plain, _milliseconds(predictor, PredictRequest(data, instances=True))))
    ratio = median(all_five / plain for plain, all_five in times)
    plain, all_five = (median(column) for column in zip(*times, strict=True))
    return InstanceFigures(plain, all_five, ratio)


def _finds_five(detector: Finder) -> Finder:
    """Does the detector's work, but always returns the same five fruits."""

    def find(pixels: NDArray[np.uint8]) -> list[Detection]:
        detector(pixels)
        return [Detection(Box(x, y, x + SIDE, y + SIDE), 0.9, "orange") for x, y in PLACES]

    return find


def _milliseconds(predictor: Predictor, request: PredictRequest) -> float:
    # Both run on one thread, so CPU time is independent of other load.
    started = process_time()
    if request.instances:
        [result] = grade_instances(predictor, [request])
    else:
        [result] = predictor.predict_batch([request])
    if isinstance(result, Exception):
        raise result
    return (process_time() - started) * 1000
