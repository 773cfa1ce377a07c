"""What the model endpoints answer."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from api.model.manifest import DataFingerprint, Manifest
from api.registry.metric_summary import ClassDifference, Difference, Headlines, headlines
from api.registry.repository import Kind, Origin
from api.storage.tables import ModelRow

Status = Literal["champion", "challenger", "retired", "pruned"]


class Version(BaseModel):
    """One model version."""

    version: str
    status: Status = Field(
        description="champion serves; challenger never did; retired did before; of pruned only "
        "the record is left."
    )
    created_at: datetime = Field(description="When it was made.")
    registered_at: datetime = Field(description="When it came into this catalog.")
    origin: Origin
    parent: str | None = Field(description="The version that it was made from.")
    started_by: str
    run_id: str | None
    classes: tuple[str, ...]
    metrics: Headlines
    data: DataFingerprint
    recipe: dict[str, Any]
    verdict: dict[str, Any] | None = Field(description="What the gate said of it.")

    @classmethod
    def of_row(cls, row: ModelRow, champion: str | None, served: set[str]) -> Self:
        """`champion` is the version that serves, `served` all that ever did."""
        own = ("origin", "parent", "started_by", "run_id", "verdict", "manifest")
        fields = {
            **row.manifest,
            **{name: getattr(row, name) for name in own},
            "status": _status(row, champion, served),
            "registered_at": row.created_at,
            "metrics": headlines(row.manifest),
        }
        return cls.model_validate(fields)


class VersionDetails(Version):
    manifest: Manifest


class Versions(BaseModel):
    champion: str | None
    rollback_to: str | None = Field(description="What a rollback would go to; null for nothing.")
    models: list[Version] = Field(description="The newest first.")


class VersionComparison(BaseModel):
    """Two versions side by side."""

    a: Version
    b: Version
    same_data: bool = Field(
        description="Otherwise the two were measured on different photographs, and a difference "
        "may come from those; the verdict compares on the same ones."
    )
    figures: list[Difference]
    per_class: list[ClassDifference]


class Promotion(BaseModel):
    """A change of the champion."""

    version: str = Field(description="What serves from then on.")
    replaced: str | None = Field(description="What served before; null for the first.")
    kind: Kind
    at: datetime


class History(BaseModel):
    promotions: list[Promotion] = Field(description="The newest first.")


def _status(row: ModelRow, champion: str | None, served: set[str]) -> Status:
    if row.version == champion:
        return "champion"
    if row.pruned_at is not None:
        return "pruned"
    return "retired" if row.version in served else "challenger"
