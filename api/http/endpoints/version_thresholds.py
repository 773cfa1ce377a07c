"""`/models/{version}/thresholds`: a version's freshness thresholds by fruit, and their sweep."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.http.deps import (
    VERSION,
    BlobsDep,
    DatabaseDep,
    ReadingDep,
    SessionDep,
    SettingsDep,
)
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.insights import threshold_sweep
from api.insights.threshold_sweep import ThresholdSweep
from api.predictions import fruit_thresholds
from api.predictions.fruit_thresholds import (
    Cost,
    FruitThresholds,
    FruitThresholdsChange,
    Line,
    LineCosts,
    Share,
    ThresholdsCopy,
    VersionThresholds,
)
from api.registry import repository

FRUIT = f"/models/{VERSION}/thresholds/{{fruit}}"
router = APIRouter(route_class=CheckedRoute, tags=["freshness"], responses=responses(503, 507))


class SweepQuery(BaseModel):
    """Which threshold to move, and what errors cost: by default as last saved, or else 1 each."""

    # PostgreSQL refuses null characters in text.
    fruit: str = Field(max_length=80, pattern=r"^[^\x00]*$")
    line: Line = "rotten_below"
    let_through_cost: Cost | None = None
    refused_cost: Cost | None = None
    worse_share: Share | None = Field(
        default=None,
        description="Expected share of fruits that belong below the threshold, above 0 and below "
        "1.",
    )

    @property
    def costs(self) -> dict[str, float]:
        """The costs that were sent, named as in LineCosts."""
        sent = {
            "let_through": self.let_through_cost,
            "refused": self.refused_cost,
            "worse_share": self.worse_share,
        }
        return {name: cost for name, cost in sent.items() if cost is not None}


@router.get(
    f"/models/{VERSION}/thresholds",
    summary="List the freshness thresholds of a version",
    responses=responses(404),
)
def thresholds(session: ReadingDep, settings: SettingsDep, version: str) -> VersionThresholds:
    """List the freshness thresholds of a version by fruit. Fruits without their own use those of
    `/freshness-thresholds`.
    """
    manifest = repository.get_model(session, version).manifest
    compared_with = repository.compared_version(session, version)
    return fruit_thresholds.of_version(session, settings, manifest, compared_with)


@router.post(
    f"/models/{VERSION}/thresholds",
    summary="Copy freshness thresholds from another version",
    responses=responses(404, 422),
)
def copy_thresholds(
    session: SessionDep, settings: SettingsDep, version: str, copied: ThresholdsCopy
) -> VersionThresholds:
    """Copy the thresholds, with their costs, of all fruits that have their own in the other version
    but not in this one.

    They were chosen for the scores of the other version: check the threshold sweep of this version
    afterwards.
    """
    other = repository.get_model(session, copied.from_version).version
    manifest = repository.get_model(session, version).manifest
    fruit_thresholds.copy_lacking(session, manifest, other)
    compared_with = repository.compared_version(session, version)
    return fruit_thresholds.of_version(session, settings, manifest, compared_with)


@router.get(
    f"/models/{VERSION}/threshold-sweep",
    summary="Sweep a freshness threshold",
    responses=responses(404, 409, 422),
)
def sweep(
    database: DatabaseDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    version: str,
    query: Annotated[SweepQuery, Query()],
) -> ThresholdSweep:
    """Get the share of fruits wrongly let through and wrongly refused at every hundredth, on
    held-out photos and on photos corrected by users, and the cheapest threshold.
    """
    with database.reading() as session:
        repository.check_promotable(session, version)
        manifest = repository.get_model(session, version).manifest
        used = fruit_thresholds.of_fruit(session, settings, manifest, query.fruit)
        costs = fruit_thresholds.last_costs(session, query.fruit, query.line) or LineCosts()
    return threshold_sweep.sweep(
        database,
        blobs,
        settings.model_cache,
        manifest,
        thresholds=used,
        line=query.line,
        costs=costs.model_copy(update=query.costs),
    )


@router.put(
    FRUIT, summary="Set the freshness thresholds of a fruit", responses=responses(404, 409, 422)
)
def set_thresholds(
    session: SessionDep,
    settings: SettingsDep,
    version: str,
    fruit: str,
    change: FruitThresholdsChange,
) -> FruitThresholds:
    """Set the freshness thresholds of a fruit in a version. Every process uses them within two
    seconds while the version is in use.
    """
    manifest = repository.get_model(session, version).manifest
    known = fruit_thresholds.of_fruit(session, settings, manifest, fruit)
    fruit_thresholds.save(session, version, known.fruit, change)
    return fruit_thresholds.of_fruit(session, settings, manifest, fruit)


@router.delete(FRUIT, summary="Reset the freshness thresholds of a fruit", responses=responses(404))
def forget_thresholds(
    session: SessionDep, settings: SettingsDep, version: str, fruit: str
) -> FruitThresholds:
    """Reset the thresholds of a fruit. It is graded by `/freshness-thresholds` again."""
    manifest = repository.get_model(session, version).manifest
    known = fruit_thresholds.of_fruit(session, settings, manifest, fruit)
    fruit_thresholds.forget(session, version, known.fruit)
    return fruit_thresholds.of_fruit(session, settings, manifest, fruit)
