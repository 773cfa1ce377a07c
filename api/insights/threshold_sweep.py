"""Where to draw the line: a version's errors at each freshness threshold of one fruit.

It counts the photos that were graded as this fruit, since its thresholds apply to those. Held-out
photos are a fair sample; photos that people corrected are not, since errors are reported more
readily. So the two are counted separately.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.core.labels import LEVELS, Level, read_label
from api.core.threshold_sweep import FEWEST, Costs, SweptFruits
from api.model.package import REPLAY
from api.model.training_index import load_held_out
from api.predictions.fruit_thresholds import FruitThresholds, Line, LineCosts
from api.registry.service import fetch_package
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.inspections import InspectionFruitRow, InspectionPhotoRow
from api.storage.tables.predictions import FeedbackRow, PredictionRow

# Only the newest corrections are counted.
MAX_CORRECTED = 10_000


class SweepPoint(BaseModel):
    """Errors at one threshold."""

    threshold: float = Field(description="Freshness score, 0 to 1.")
    let_through: int = Field(
        description="Number of fruits that belong below the threshold but score above it."
    )
    refused: int = Field(
        description="Number of fruits that belong above the threshold but score below it."
    )
    let_through_share: float | None = Field(
        description="Share let through of the fruits that belong below the threshold, 0 to 1; "
        "null if there are none."
    )
    refused_share: float | None = Field(
        description="Share refused of the fruits that belong above the threshold, 0 to 1; null if "
        "there are none."
    )
    let_through_at_most: float = Field(
        description="Upper bound of the 95 % confidence interval of `let_through_share`."
    )
    refused_at_most: float = Field(
        description="Upper bound of the 95 % confidence interval of `refused_share`."
    )
    cost: float | None = Field(
        description="Expected cost of errors per hundred fruits; null unless there are fruits of "
        "both kinds."
    )


class Sweep(BaseModel):
    """Errors on a set of photos, or fruits in photos, at each threshold."""

    worse: int = Field(description="Number of fruits that belong below the threshold.")
    better: int = Field(description="Number of fruits that belong above the threshold.")
    in_use: SweepPoint = Field(description="Errors at the threshold in use.")
    suggested: SweepPoint | None = Field(
        description="The cheapest threshold, or the one in use if none is clearly cheaper; null "
        "with fewer than `fewest` fruits of either kind."
    )
    points: list[SweepPoint] = Field(description="Errors at every hundredth, in ascending order.")

    @classmethod
    def of(cls, fruits: SweptFruits, in_use: float, costs: Costs) -> Self:
        suggested = fruits.cheapest(in_use, costs)
        return cls(
            worse=fruits.worse_count,
            better=fruits.better_count,
            in_use=SweepPoint(**asdict(fruits.at(in_use, costs))),
            suggested=SweepPoint(**asdict(suggested)) if suggested else None,
            points=[SweepPoint(**asdict(errors)) for errors in fruits.sweep(costs)],
        )


class ThresholdSweep(BaseModel):
    """Errors of a version for one fruit as one freshness threshold moves through its range."""

    version: str
    fruit: str
    line: Line = Field(description="Threshold that moves.")
    costs: LineCosts = Field(
        description="Costs of errors that were used: those sent, otherwise those last saved for "
        "the fruit, otherwise 1 each."
    )
    fewest: int = Field(description="Minimum number of fruits of each kind for a suggestion.")
    held_out: Sweep = Field(description="Errors on photos that the version was not trained on.")
    corrected: Sweep = Field(
        description="Errors on graded photos with feedback from users. Wrong grades are "
        "over-represented."
    )


class _Graded(NamedTuple):
    """Held-out photos with a level: freshness scores float [n], the fruits that they were graded
    as and the levels of their labels, strings [n].
    """

    scores: NDArray[np.float64]
    fruits: NDArray[np.str_]
    levels: NDArray[np.str_]


def sweep(
    database: Database,
    blobs: Blobs,
    cache: Path,
    manifest: Mapping[str, Any],
    *,
    thresholds: FruitThresholds,
    line: Line,
    costs: LineCosts,
) -> ThresholdSweep:
    """The sweep of the stored version of `manifest`. Raises DamagedModelError."""
    in_use = thresholds.rotten_below
    if line == "fresh_from" and thresholds.fresh_from is not None:
        in_use = thresholds.fresh_from
    prices = Costs(costs.let_through, costs.refused, costs.worse_share)
    below: tuple[Level, ...] = LEVELS[2:] if line == "rotten_below" else LEVELS[1:]

    def swept(scores: NDArray[np.float64], levels: NDArray[np.str_]) -> Sweep:
        return Sweep.of(SweptFruits(scores, np.isin(levels, below)), in_use, prices)

    version, fruit = manifest["version"], thresholds.fruit
    with database.reading() as session:
        corrected = _corrected(session, version, manifest["classes"], fruit)
    # Outside of the transaction: it takes a second.
    held_out = _held_out(blobs, cache, version)
    own = held_out.fruits == fruit
    return ThresholdSweep(
        version=version,
        fruit=fruit,
        line=line,
        costs=costs,
        fewest=FEWEST,
        held_out=swept(held_out.scores[own], held_out.levels[own]),
        corrected=swept(*corrected),
    )


@lru_cache(maxsize=4)  # A stored version never changes.
def _held_out(blobs: Blobs, cache: Path, version: str) -> _Graded:
    """The held-out photos that are recognised, with a level by label and grade."""
    package = fetch_package(blobs, version, cache)
    rows = load_held_out(package.folder / REPLAY, package.manifest.classes)
    labels = [read_label(name) for name in package.manifest.classes]
    probabilities = package.head.probabilities(rows.embeddings)
    freshness = np.array([label.freshness or "" for label in labels])
    fresh, rotten = (
        probabilities[:, freshness == name].sum(axis=1, dtype=np.float64)
        for name in ("fresh", "rotten")
    )
    predicted = probabilities.argmax(axis=1)
    levels = np.array([read_label(name).level or "" for name in rows.class_names.tolist()], str)
    graded = (freshness[predicted] != "") & (levels != "") & (fresh + rotten > 0)
    graded &= package.head.recognises(rows.embeddings)
    return _Graded(
        scores=fresh[graded] / (fresh + rotten)[graded],
        fruits=np.array([label.fruit for label in labels])[predicted[graded]],
        levels=levels[graded],
    )


def _corrected(
    session: Session, version: str, classes: Sequence[str], fruit: str
) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Scores and true levels of what the version graded as this fruit and people corrected or
    confirmed: photos of one fruit, and the fruits of inspections.
    """
    own = [name for name in classes if read_label(name).fruit == fruit and read_label(name).level]
    photos = (
        select(PredictionRow.freshness_score, FeedbackRow.label)
        .join(FeedbackRow, FeedbackRow.prediction_id == PredictionRow.id)
        .where(
            PredictionRow.model_version == version,
            PredictionRow.predicted_class.in_(own),
            PredictionRow.recognised,
            PredictionRow.freshness_score.is_not(None),
            PredictionRow.several.is_not(True),
        )
        .order_by(FeedbackRow.created_at.desc())
        .limit(MAX_CORRECTED)
    )
    fruits = (
        select(InspectionFruitRow.freshness_score, InspectionFruitRow.said)
        .join(InspectionPhotoRow, InspectionPhotoRow.id == InspectionFruitRow.photo_id)
        .join(PredictionRow, PredictionRow.id == InspectionPhotoRow.id)
        .where(
            PredictionRow.model_version == version,
            InspectionFruitRow.predicted_class.in_(own),
            InspectionFruitRow.recognised,
            InspectionFruitRow.freshness_score.is_not(None),
            InspectionFruitRow.said.in_(LEVELS),
            InspectionPhotoRow.counted.is_not(False),
            InspectionPhotoRow.removed_at.is_(None),
        )
        .order_by(InspectionFruitRow.id.desc())
        .limit(MAX_CORRECTED)
    )
    known: list[tuple[float | None, str]] = [
        (score, read_label(label).level or "") for score, label in session.execute(photos)
    ]
    known += [(score, str(said)) for score, said in session.execute(fruits)]
    scores = np.array([score for score, _ in known], float)
    levels = np.array([level for _, level in known], str)
    return scores[levels != ""], levels[levels != ""]
