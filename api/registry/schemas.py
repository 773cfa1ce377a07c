"""What the model endpoints answer."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.registry.figures import ClassDifference, Difference, Headlines, headlines
from api.registry.manifest import DataFingerprint, Manifest
from api.registry.repository import Kind, ModelRow, Origin

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
    def of_row(cls, row: ModelRow, champion: str | None, served: set[str]) -> "Version":
        """`champion` is the version that serves, `served` all that ever did."""
        return cls.model_validate(_fields(row, champion, served))


class VersionDetails(Version):
    manifest: Manifest

    @classmethod
    def of_row(cls, row: ModelRow, champion: str | None, served: set[str]) -> "VersionDetails":
        return cls.model_validate({**_fields(row, champion, served), "manifest": row.manifest})


class Versions(BaseModel):
    champion: str | None
    rollback_to: str | None = Field(description="What a rollback would go to; null for nothing.")
    models: list[Version] = Field(description="The newest first.")


class Comparison(BaseModel):
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


def _fields(row: ModelRow, champion: str | None, served: set[str]) -> dict[str, Any]:
    manifest = row.manifest
    return {
        "version": row.version,
        "status": _status(row, champion, served),
        "created_at": manifest["created_at"],
        "registered_at": row.created_at,
        "origin": row.origin,
        "parent": row.parent,
        "started_by": row.started_by,
        "run_id": row.run_id,
        "classes": manifest["classes"],
        "metrics": headlines(manifest),
        "data": manifest["data"],
        "recipe": manifest["recipe"],
        "verdict": row.verdict,
    }


def _status(row: ModelRow, champion: str | None, served: set[str]) -> Status:
    if row.version == champion:
        return "champion"
    if row.pruned_at is not None:
        return "pruned"
    return "retired" if row.version in served else "challenger"
