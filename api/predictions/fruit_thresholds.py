"""Freshness thresholds of single fruits, saved with a version, and the costs that chose them.

They belong to the version, as its scores do: a new version begins with its own thresholds.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api.core.errors import NotFoundError
from api.core.freshness_levels import LevelThresholds, fitted_thresholds, graded_fruits
from api.predictions.freshness_thresholds import (
    FreshnessThresholds,
    SetBy,
    Threshold,
    build_response,
    user_thresholds,
    validated,
)
from api.settings import Settings
from api.storage.db import now, upsert
from api.storage.tables.predictions import FruitThresholdsRow

# Which threshold: scores below it are rotten, or scores from it on are fresh.
Line = Literal["rotten_below", "fresh_from"]
Cost = Annotated[float, Field(gt=0, le=1e6)]
Share = Annotated[float, Field(gt=0, lt=1)]


class UnknownFruitError(NotFoundError):
    code = "unknown-fruit"

    def __init__(self, fruit: str, known: list[str]) -> None:
        listed = ", ".join(known) or "none"
        super().__init__(
            f"The version has no freshness levels for the fruit '{fruit[:80]}'. It has them for: "
            f"{listed}."
        )


class LineCosts(BaseModel):
    """Costs of errors at one threshold, in any unit."""

    model_config = ConfigDict(extra="forbid", strict=True)

    let_through: Cost = Field(
        default=1.0,
        description="Cost of a fruit that belongs below the threshold but scores above it.",
    )
    refused: Cost = Field(
        default=1.0,
        description="Cost of a fruit that belongs above the threshold but scores below it.",
    )
    worse_share: Share | None = Field(
        default=None,
        description="Expected share of fruits that belong below the threshold; null to use their "
        "share among the photos measured.",
    )


class LevelCosts(BaseModel):
    """Costs of errors at each threshold; null where none were given."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rotten_below: LineCosts | None = Field(
        default=None, description="Costs at the threshold between rotten and the next level."
    )
    fresh_from: LineCosts | None = Field(
        default=None, description="Costs at the threshold between fresh and the next level."
    )


class FruitThresholds(BaseModel):
    """The freshness thresholds for one fruit."""

    fruit: str
    rotten_below: float = Field(description="Scores below this value are rotten.")
    fresh_from: float | None = Field(
        description="Scores of at least this value are fresh; null if there is no middle level."
    )
    set_by: Literal["fruit"] | SetBy = Field(
        description="fruit: saved for this fruit. Otherwise where the thresholds for all fruits "
        "come from."
    )
    costs: LevelCosts | None = Field(
        description="Costs of errors that were saved with the thresholds; null if none were given."
    )
    changed_at: datetime | None = Field(
        description="When the fruit's own thresholds were saved, in UTC; null if it has none."
    )


class VersionThresholds(BaseModel):
    """Freshness thresholds of a version, for each of its fruits with freshness levels."""

    version: str
    others: FreshnessThresholds = Field(description="Thresholds for fruits without their own.")
    fruits: list[FruitThresholds] = Field(
        description="One entry for each fruit with freshness levels, sorted by name."
    )
    compared_with: str | None = Field(
        description="Version that `lacks` refers to: the current version or, for the current "
        "version itself, the one in use before it; null if there is none."
    )
    lacks: list[str] = Field(
        description="Fruits that have their own thresholds in `compared_with` but not in this "
        "version."
    )


class ThresholdsCopy(BaseModel):
    """The version to copy thresholds from."""

    model_config = ConfigDict(extra="forbid", strict=True)

    # PostgreSQL refuses null characters in text.
    from_version: str = Field(max_length=80, pattern=r"^[^\x00]*$")


class FruitThresholdsChange(BaseModel):
    """New freshness thresholds for a fruit. Both are required, and `rotten_below` must not exceed
    `fresh_from`.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    rotten_below: Threshold = Field(
        description="Scores below this value become rotten; above 0, below 1."
    )
    fresh_from: Threshold = Field(
        description="Scores of at least this value become fresh; above 0, below 1."
    )
    costs: LevelCosts | None = Field(
        default=None, description="Costs of errors to save with the thresholds; null saves none."
    )


def thresholds_by_version(session: Session) -> dict[str, dict[str, LevelThresholds]]:
    """All saved thresholds, by version and fruit."""
    found: defaultdict[str, dict[str, LevelThresholds]] = defaultdict(dict)
    columns = (FruitThresholdsRow.rotten_below, FruitThresholdsRow.fresh_from)
    query = select(FruitThresholdsRow.version, FruitThresholdsRow.fruit, *columns)
    for version, fruit, rotten_below, fresh_from in session.execute(query):
        found[version][fruit] = LevelThresholds(rotten_below, fresh_from)
    return dict(found)


def of_version(
    session: Session,
    settings: Settings,
    manifest: Mapping[str, Any],
    compared_with: str | None = None,
) -> VersionThresholds:
    """The thresholds of the version of a stored `manifest`."""
    version, classes = manifest["version"], manifest["classes"]
    own = fitted_thresholds(classes, manifest["thresholds"])
    others = build_response(own, settings, user_thresholds(session))
    query = select(FruitThresholdsRow).where(FruitThresholdsRow.version == version)
    saved = {row.fruit: row for row in session.scalars(query)}
    fruits = [_of_fruit(fruit, saved.get(fruit), others) for fruit in graded_fruits(classes)]
    return VersionThresholds(
        version=version,
        others=others,
        fruits=fruits,
        compared_with=compared_with,
        lacks=lacking(session, manifest, compared_with),
    )


def lacking(session: Session, manifest: Mapping[str, Any], other: str | None) -> list[str]:
    """Fruits of the version of `manifest` that have their own thresholds only in `other`."""
    return [row.fruit for row in _lacking(session, manifest, other)]


def copy_lacking(session: Session, manifest: Mapping[str, Any], other: str) -> None:
    """Save the thresholds and their costs that the `other` version has and this one lacks."""
    for row in _lacking(session, manifest, other):
        values = {
            "rotten_below": row.rotten_below,
            "fresh_from": row.fresh_from,
            "costs": row.costs,
            "changed_at": now(),
        }
        # Somebody else may do the same at this moment.
        keys = {"version": manifest["version"], "fruit": row.fruit}
        upsert(session, FruitThresholdsRow, keys, values)


def of_fruit(
    session: Session, settings: Settings, manifest: Mapping[str, Any], fruit: str
) -> FruitThresholds:
    """The thresholds of one fruit in the version of a stored `manifest`.

    Raises UnknownFruitError.
    """
    by_name = {one.fruit: one for one in of_version(session, settings, manifest).fruits}
    if fruit not in by_name:
        raise UnknownFruitError(fruit, list(by_name))
    return by_name[fruit]


def last_costs(session: Session, fruit: str, line: Line) -> LineCosts | None:
    """The costs last saved for this fruit, with any version."""
    newest = (
        select(FruitThresholdsRow.costs)
        .where(FruitThresholdsRow.fruit == fruit, FruitThresholdsRow.costs.is_not(None))
        .order_by(FruitThresholdsRow.changed_at.desc())
    )
    for costs in session.scalars(newest):
        if found := getattr(LevelCosts.model_validate(costs), line):
            return LineCosts.model_validate(found)
    return None


def save(session: Session, version: str, fruit: str, change: FruitThresholdsChange) -> None:
    """Set the thresholds of a fruit in a version, for all processes.

    Raises BadThresholdsError.
    """
    used = validated(change.rotten_below, change.fresh_from)
    values = {
        "rotten_below": used.rotten_below,
        "fresh_from": used.fresh_from,
        "costs": change.costs.model_dump() if change.costs else None,
        "changed_at": now(),
    }
    upsert(session, FruitThresholdsRow, {"version": version, "fruit": fruit}, values)


def forget(session: Session, version: str, fruit: str) -> None:
    session.execute(
        delete(FruitThresholdsRow).where(
            FruitThresholdsRow.version == version, FruitThresholdsRow.fruit == fruit
        )
    )


def _lacking(
    session: Session, manifest: Mapping[str, Any], other: str | None
) -> list[FruitThresholdsRow]:
    """The rows of `other` for these fruits, by name."""
    own = select(FruitThresholdsRow.fruit).where(FruitThresholdsRow.version == manifest["version"])
    query = select(FruitThresholdsRow).where(
        FruitThresholdsRow.version == other,
        FruitThresholdsRow.fruit.in_(graded_fruits(manifest["classes"])),
        FruitThresholdsRow.fruit.not_in(own),
    )
    return list(session.scalars(query.order_by(FruitThresholdsRow.fruit)))


def _of_fruit(
    fruit: str, row: FruitThresholdsRow | None, others: FreshnessThresholds
) -> FruitThresholds:
    if row is None:
        shared = others.model_dump(include={"rotten_below", "fresh_from", "set_by"})
        return FruitThresholds(fruit=fruit, costs=None, changed_at=None, **shared)
    return FruitThresholds(
        fruit=fruit,
        rotten_below=row.rotten_below,
        fresh_from=row.fresh_from,
        set_by="fruit",
        costs=LevelCosts.model_validate(row.costs) if row.costs else None,
        changed_at=row.changed_at,
    )
