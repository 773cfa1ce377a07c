"""The output of each step of grading a photo, side by side, for debugging.

The photo is graded once more for it, so grading without it costs nothing extra.
"""

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, Field

from api.core.arrays import FloatArray, pool
from api.core.freshness_levels import LevelThresholds
from api.core.heads import LEVEL_COLUMNS
from api.core.imaging.resize import to_input
from api.core.labels import Level, read_label
from api.core.ood import DISTANCE_WEIGHT
from api.model.engines.choice import EngineInfo
from api.model.predictor import Predictor

_Result = TypeVar("_Result")


class TracedPhoto(BaseModel):
    """Sizes of the photo in pixels."""

    width: int = Field(description="Width of the upright photo as sent.")
    height: int = Field(description="Height of the upright photo as sent.")
    decoded_width: int = Field(
        description="Width after decoding; large JPEGs are decoded at a reduced size."
    )
    decoded_height: int = Field(description="Height after decoding.")
    input_size: int = Field(description="Side length of the square network input.")


class TracedRejection(BaseModel):
    """The check for out-of-distribution photos. A photo is recognised if `score` is at most
    `limit`.
    """

    none_logit: float = Field(description="Log-odds of the learned output “none of the classes”.")
    distances: dict[str, float] = Field(
        description="Squared Mahalanobis distance to the mean of each class."
    )
    distance_weight: float = Field(description="Weight of the smallest distance in `score`.")
    score: float = Field(
        description="`none_logit` plus `distance_weight` times the smallest distance."
    )
    limit: float | None = Field(
        description="Highest score of a recognised photo; null if no photo is rejected."
    )
    recognised: bool


class TracedFruit(BaseModel):
    """Output of the fruit head."""

    logits: dict[str, float] = Field(
        description="Logit of each fruit, before the division by the temperature."
    )
    temperature: float = Field(description="Temperature by which the logits are divided.")
    probabilities: dict[str, float] = Field(description="Calibrated probability of each fruit.")


class TracedFreshness(BaseModel):
    """Output of the freshness head, before configured thresholds apply."""

    logit: float = Field(description="Logit of “not rotten”, already divided by the temperature.")
    temperature: float = Field(description="Temperature by which the logit was divided.")
    score: float = Field(description="Freshness score from 0 (rotten) to 1 (fresh).")
    levels: dict[Level, float] = Field(
        description="Probability of each level under the model's own thresholds."
    )


class TracedThresholds(BaseModel):
    rotten_below: float = Field(description="Scores below this value are rotten.")
    fresh_from: float | None = Field(
        description="Scores of at least this value are fresh; null if there is no middle level."
    )

    @classmethod
    def of(cls, thresholds: LevelThresholds | None) -> "TracedThresholds | None":
        return cls.model_validate(thresholds, from_attributes=True) if thresholds else None


class TracedLevel(BaseModel):
    """How the freshness level follows from the class probabilities."""

    probabilities: dict[str, float] = Field(
        description="Probability of each class: that of its fruit times the share of its level."
    )
    freshness_score: float | None = Field(
        description="Probability of the fresh classes given that the class has a freshness, 0 to "
        "1; null if the model has no freshness classes."
    )
    in_use: TracedThresholds | None = Field(
        description="Thresholds that decided the level; null if the predicted class has no "
        "freshness."
    )
    of_the_model: TracedThresholds | None = Field(
        description="Thresholds fitted with the version; null if it has no freshness classes."
    )
    level: Level | None = Field(
        description="Level by the thresholds in use; null if the predicted class has no freshness."
    )


class TracedTimes(BaseModel):
    """Time taken by each step of this pass, on one thread, in milliseconds."""

    decode: float
    resize: float
    network: float
    heads: float


class Trace(BaseModel):
    """Output of each step of grading the whole photo, in order."""

    photo: TracedPhoto
    rejection: TracedRejection
    fruit: TracedFruit
    freshness: TracedFreshness | None = Field(
        description="Output of the freshness head; null if the model has none."
    )
    level: TracedLevel
    engine: EngineInfo | None
    milliseconds: TracedTimes


def trace_steps(predictor: Predictor, data: bytes) -> Trace:
    """Grade the bytes of an image file, step by step. Raises what `imaging.decode` raises."""
    head, size = predictor.head, predictor.manifest.input_size
    decoded, decode_ms = _timed(lambda: predictor.decode(data))
    pixels, resize_ms = _timed(lambda: to_input(decoded.image, size))
    feature_map, network_ms = _timed(lambda: predictor.feature_map(pixels))
    embedding = pool(feature_map)
    (probabilities, recognised, projected), heads_ms = _timed(lambda: head.predict(embedding))
    logits = head.kinds(embedding)
    none_logit = head.none_logit(logits)
    score = float(head.ood.score(projected, none_logit)[0])
    distances = np.square(projected[0] - head.ood.means).sum(axis=1)
    of_fruit = head.kind_probabilities(logits)[0]
    labels = [read_label(name) for name in predictor.manifest.classes]
    fruits = {int(kind): label.fruit for kind, label in zip(head.kind_of, labels, strict=True)}
    limit = head.ood.threshold
    return Trace(
        photo=TracedPhoto(
            width=decoded.width,
            height=decoded.height,
            decoded_width=decoded.image.width,
            decoded_height=decoded.image.height,
            input_size=size,
        ),
        rejection=TracedRejection(
            none_logit=float(none_logit[0]),
            distances=dict(zip(predictor.manifest.classes, distances.tolist(), strict=False)),
            distance_weight=float(DISTANCE_WEIGHT),
            score=score,
            limit=limit if np.isfinite(limit) else None,
            recognised=bool(recognised[0]),
        ),
        fruit=TracedFruit(
            logits={fruits[k]: float(logits[0, k]) for k in sorted(fruits)},
            temperature=head.temperature,
            probabilities={fruits[k]: float(of_fruit[k]) for k in sorted(fruits)},
        ),
        freshness=_freshness(predictor, embedding),
        level=_level(predictor, probabilities[0]),
        engine=predictor.engine,
        milliseconds=TracedTimes(
            decode=decode_ms, resize=resize_ms, network=network_ms, heads=heads_ms
        ),
    )


def _freshness(predictor: Predictor, embedding: FloatArray) -> TracedFreshness | None:
    head = predictor.head.freshness
    if head is None:
        return None
    logit, levels = float(head.logit(embedding)[0]), head.levels(embedding)[0]
    return TracedFreshness(
        logit=logit,
        temperature=head.temperature,
        score=float(1 - levels[0]),
        levels=dict(zip(LEVEL_COLUMNS, levels.tolist(), strict=True)),
    )


def _level(predictor: Predictor, probabilities: FloatArray) -> TracedLevel:
    names = predictor.manifest.classes
    label = read_label(names[int(probabilities.argmax())])
    score = predictor.freshness_score(probabilities)
    used = predictor.level_thresholds(label)
    return TracedLevel(
        probabilities=dict(zip(names, probabilities.tolist(), strict=True)),
        freshness_score=score,
        in_use=TracedThresholds.of(used),
        of_the_model=TracedThresholds.of(predictor.own_thresholds),
        level=used.level(score) if used and score is not None else None,
    )


def _timed(step: Callable[[], _Result]) -> tuple[_Result, float]:
    started = time.perf_counter()
    result = step()
    return result, round((time.perf_counter() - started) * 1000, 3)
