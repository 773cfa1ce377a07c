"""Small heads with given weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from api.core.freshness_levels import HALF, LevelThresholds
from api.core.heads import LEVEL_COLUMNS, FreshnessHead, Head, Linear, class_parts
from api.core.ood import DISTANCE_WEIGHT, OodDetector
from api.model.package import load_package
from api.settings import PROJECT

FRUIT = ("freshapples", "freshbananas", "rottenapples", "rottenbananas")


def make_linear(weights: ArrayLike, bias: ArrayLike | None = None) -> Linear:
    """`weights` [channels, outputs]; `bias` [outputs] is 0 by default."""
    w = np.array(weights, np.float32)
    return Linear(w, np.zeros(w.shape[1], np.float32) if bias is None else _floats(bias))


def make_ood(
    channels: int, means: ArrayLike | None = None, *, distance: float = 1e6
) -> OodDetector:
    """OOD statistics that recognise inputs within a squared `distance` of one of `means` [classes,
    channels], both normalized to length 1; by default, all inputs.
    """
    eye = np.eye(channels, dtype=np.float32)
    middle = np.zeros((1, channels), np.float32) if means is None else _floats(means)
    return OodDetector(eye, middle, float(DISTANCE_WEIGHT) * distance)


def make_head(
    weights: ArrayLike,
    *,
    ood: OodDetector | None = None,
    bias: ArrayLike | None = None,
    temperature: float = 1.0,
) -> Head:
    """A head with one kind per class: `weights` [channels, classes]."""
    kinds = make_linear(weights, bias)
    channels, classes = kinds.weights.shape
    return Head(
        kinds=kinds,
        temperature=temperature,
        kind_of=np.arange(classes),
        parts=np.ones((len(LEVEL_COLUMNS), classes), np.float32),
        freshness=None,
        ood=ood or make_ood(channels),
    )


def make_two_heads(
    kinds: ArrayLike,
    freshness: ArrayLike,
    *,
    classes: Sequence[str] = FRUIT,
    rotten_below: float = 0.3,
    fresh_from: float = 0.7,
    ood: OodDetector | None = None,
) -> Head:
    """A head with weights `kinds` [channels, kinds (+ none)] and `freshness` [channels]."""
    kind_layer = make_linear(kinds)
    kind_of, parts = class_parts(classes)
    return Head(
        kinds=kind_layer,
        temperature=1.0,
        kind_of=kind_of,
        parts=parts,
        freshness=FreshnessHead(
            make_linear(np.array(freshness)[:, None]), 1.0, rotten_below, fresh_from
        ),
        ood=ood or make_ood(len(kind_layer.weights)),
    )


def shipped_thresholds() -> LevelThresholds:
    """The thresholds of the default model."""
    freshness = load_package(PROJECT / "models" / "default").head.freshness
    if freshness is None:
        return LevelThresholds(HALF)
    return LevelThresholds(freshness.rotten_below, freshness.fresh_from)


def draw_head(channels: int, classes: int, seed: int = 0) -> Head:
    """A plain head of random numbers."""
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> NDArray[np.float32]:
        return random.normal(size=shape).astype(np.float32)

    ood = OodDetector(draw(channels, 2), draw(classes, 2), 0.025)
    return make_head(draw(channels, classes), bias=draw(classes), temperature=1.5, ood=ood)


def save_old_head(path: Path, weights: ArrayLike, *, more: int = 0, distance: float = 1e6) -> None:
    """Write a head in the format of packages up to November 2026: `weights` [channels, classes].

    `more` adds an expert that uses only this many further channels.
    """
    plain = _floats(weights)
    channels, classes = len(plain) + more, plain.shape[1]
    arrays: dict[str, Any] = {
        "weights": plain,
        "bias": np.zeros(classes, np.float32),
        "temperature": np.float32(2),
        "rejection_projection": np.eye(channels, dtype=np.float16),
        "rejection_scale": np.ones(channels, np.float32),
        "rejection_means": np.eye(classes, channels, dtype=np.float32),
        "rejection_threshold": np.float32(distance),
    }
    if more:
        arrays |= {
            "expert_weights": np.full((more, classes), 9, np.float32),
            "expert_bias": np.zeros(classes, np.float32),
            "expert_temperature": np.float32(0.5),
        }
    np.savez(path, **arrays)


def _floats(values: ArrayLike) -> NDArray[np.float32]:
    return np.array(values, np.float32)
