"""The drift figures of the version that serves, in numbers and in words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from api.monitoring.drift.energy import energy_drift
from api.monitoring.drift.reference import Reference
from api.monitoring.drift.sample import Sample
from api.monitoring.drift.stability import stability_index, stability_threshold

# With fewer, chance moves every figure.
ENOUGH = 50
CONFIDENCE_EDGES = (0.5, 0.7, 0.9, 0.97, 0.99, 0.999)


@dataclass(frozen=True)
class Figure:
    """One drift figure: `value` over `threshold` is a drift.

    Both are None, and `enough` false, while there are fewer than 50 predictions or test
    photographs. `since` is when the oldest prediction of the sample was made.
    """

    name: str
    value: float | None
    threshold: float | None
    sample_size: int
    reference_size: int
    enough: bool
    sentence: str
    since: datetime | None

    @property
    def drifted(self) -> bool:
        return self.value is not None and self.threshold is not None and self.value > self.threshold


@dataclass(frozen=True)
class _Words:
    same: str
    moved: str


_EMBEDDINGS = _Words(
    "The photographs look like those that the model was measured on.",
    "The photographs look different from those that the model was measured on.",
)
_CONFIDENCE = _Words(
    "The model is as sure of its answers as it was on its test photographs.",
    "The model is {direction} sure of its answers than on its test photographs.",
)
_CLASSES = _Words(
    "The mix of classes is like that of the test photographs.",
    "The mix of classes has changed: there is {direction} {group} than among the test photographs.",
)


def drift_figures(reference: Reference, sample: Sample) -> list[Figure]:
    """Embeddings, confidence and class mix of `sample` against `reference`."""
    return [
        _figure("embeddings", reference.features, sample.features, sample.since, _embeddings),
        _figure("confidence", reference.confidence, sample.confidence, sample.since, _confidence),
        _figure(
            "class_mix",
            # What is nothing known has no class, whatever it is called.
            reference.predicted[reference.recognised],
            sample.predicted[sample.recognised],
            sample.since,
            _class_mix,
        ),
    ]


def _figure(
    name: str,
    reference: NDArray[np.generic],
    sample: NDArray[np.generic],
    since: datetime | None,
    measure: Callable[[NDArray[np.generic], NDArray[np.generic]], tuple[float, float, str]],
) -> Figure:
    if min(len(sample), len(reference)) < ENOUGH:
        few = "predictions" if len(sample) < ENOUGH else "test photographs"
        sentence = f"Too few {few} yet: {min(len(sample), len(reference))} of at least {ENOUGH}."
        return Figure(name, None, None, len(sample), len(reference), False, sentence, since)
    value, threshold, sentence = measure(reference, sample)
    return Figure(name, value, threshold, len(sample), len(reference), True, sentence, since)


def _embeddings(
    reference: NDArray[np.generic], sample: NDArray[np.generic]
) -> tuple[float, float, str]:
    value, threshold = energy_drift(reference.astype(np.float32), sample.astype(np.float32))
    return value, threshold, _EMBEDDINGS.moved if value > threshold else _EMBEDDINGS.same


def _confidence(
    reference: NDArray[np.generic], sample: NDArray[np.generic]
) -> tuple[float, float, str]:
    edges = np.array(CONFIDENCE_EDGES)
    value, threshold = _stability(
        np.bincount(np.searchsorted(edges, reference), minlength=len(edges) + 1),
        np.bincount(np.searchsorted(edges, sample), minlength=len(edges) + 1),
    )
    less = np.median(sample.astype(float)) < np.median(reference.astype(float))
    moved = _CONFIDENCE.moved.format(direction="less" if less else "more")
    return value, threshold, moved if value > threshold else _CONFIDENCE.same


def _class_mix(
    reference: NDArray[np.generic], sample: NDArray[np.generic]
) -> tuple[float, float, str]:
    groups, codes = np.unique(np.concatenate([reference, sample]), return_inverse=True)
    before = np.bincount(codes[: len(reference)], minlength=len(groups))
    after = np.bincount(codes[len(reference) :], minlength=len(groups))
    value, threshold = _stability(before, after)
    change = after / after.sum() - before / before.sum()
    most = int(np.abs(change).argmax())
    direction = "more" if change[most] > 0 else "less"
    moved = _CLASSES.moved.format(direction=direction, group=groups[most])
    return value, threshold, moved if value > threshold else _CLASSES.same


def _stability(before: NDArray[np.int64], after: NDArray[np.int64]) -> tuple[float, float]:
    return stability_index(before, after), stability_threshold(before, after)
