"""API schemas of model versions: their metrics, history, and two versions compared."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.core.formatting import clean_line
from api.model.manifest import DataFingerprint, Manifest
from api.registry.repository import Kind, Origin
from api.storage.tables import ModelRow

# Sections of the manifest's metrics.
TEST = "test_by_photograph"
REJECTION = "rejection"
Status = Literal["champion", "challenger", "retired", "pruned"]
Better = Literal["higher", "lower"]
COMPARED: tuple[tuple[str, str, Better], ...] = (
    (TEST, "macro_f1", "higher"),
    (TEST, "accuracy", "higher"),
    (TEST, "expected_calibration_error", "lower"),
    (TEST, "fruit_accuracy", "higher"),
    (TEST, "freshness_accuracy", "higher"),
    (REJECTION, "known_rejected", "lower"),
    (REJECTION, "others_rejected", "higher"),
    (REJECTION, "auroc", "higher"),
)
COMPARED_PER_CLASS = ("precision", "recall", "f1")


def _clean_lines(text: str) -> str:
    return "\n".join(clean_line(line) for line in text.splitlines()).strip()


class VersionDescription(BaseModel):
    """What a person writes about a version; what is not sent stays, and an empty text removes."""

    model_config = ConfigDict(strict=True)

    name: Annotated[str, Field(max_length=60), AfterValidator(clean_line)] | None = None
    note: Annotated[str, Field(max_length=2000), AfterValidator(_clean_lines)] | None = None


class Headlines(BaseModel):
    """The headline metrics of a version; null where not measured."""

    split: str | None = Field(description="What it was measured on.")
    files: int | None
    photographs: int | None
    macro_f1: float | None
    accuracy: float | None
    expected_calibration_error: float | None

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        scores = _section(manifest, TEST)
        return cls(**{name: scores.get(name) for name in cls.model_fields})


class Version(BaseModel):
    """One model version."""

    version: str
    status: Status = Field(
        description="champion: in use; challenger: never was; retired: was before; pruned: only "
        "the record is left."
    )
    created_at: datetime = Field(description="When it was made.")
    registered_at: datetime = Field(description="When it was registered in this catalog.")
    origin: Origin
    parent: str | None = Field(description="The version that it was made from.")
    started_by: str
    run_id: str | None
    name: str = Field(description="As a person called it; empty if nobody did.")
    note: str
    classes: tuple[str, ...]
    metrics: Headlines
    data: DataFingerprint
    recipe: dict[str, Any]
    verdict: dict[str, Any] | None = Field(description="The promotion gate's verdict.")

    @classmethod
    def of_row(cls, row: ModelRow, champion: str | None, served: set[str]) -> Self:
        """`served` are the versions that are or were champion."""
        own = ("origin", "parent", "started_by", "run_id", "name", "note", "verdict", "manifest")
        fields = {
            **row.manifest,
            **{name: getattr(row, name) for name in own},
            "status": _status(row, champion, served),
            "registered_at": row.created_at,
            "metrics": Headlines.of(row.manifest),
        }
        return cls.model_validate(fields)


def _status(row: ModelRow, champion: str | None, served: set[str]) -> Status:
    if row.version == champion:
        return "champion"
    if row.pruned_at is not None:
        return "pruned"
    return "retired" if row.version in served else "challenger"


class VersionDetails(Version):
    manifest: Manifest


class Versions(BaseModel):
    champion: str | None
    rollback_to: str | None = Field(
        description="The version a rollback would use; null if there is none."
    )
    models: list[Version] = Field(description="The newest first.")


class Difference(BaseModel):
    """A metric of two versions; `difference` is b minus a, null where either is missing."""

    name: str
    better: Better
    a: float | None
    b: float | None
    difference: float | None

    @classmethod
    def between(cls, name: str, better: Better, a: Mapping[str, Any], b: Mapping[str, Any]) -> Self:
        in_a, in_b = a.get(name), b.get(name)
        difference = None if in_a is None or in_b is None else in_b - in_a
        return cls(name=name, better=better, a=in_a, b=in_b, difference=difference)


class ClassDifference(BaseModel):
    """A class that both versions know."""

    class_name: str
    figures: list[Difference]


class VersionComparison(BaseModel):
    """Compare two versions."""

    a: Version
    b: Version
    same_data: bool = Field(
        description="Otherwise the two were measured on different photos, and a difference "
        "may come from those; the verdict compares on the same ones."
    )
    figures: list[Difference]
    per_class: list[ClassDifference]


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    """Metrics that at least one of two manifests has."""
    rows = [
        Difference.between(name, better, _section(a, section), _section(b, section))
        for section, name, better in COMPARED
    ]
    return [row for row in rows if row.a is not None or row.b is not None]


def class_differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[ClassDifference]:
    """Metrics of the classes that both manifests have."""
    in_a = _section(a, TEST).get("per_class") or {}
    in_b = _section(b, TEST).get("per_class") or {}
    return [
        ClassDifference(
            class_name=name,
            figures=[
                Difference.between(metric, "higher", in_a[name], in_b[name])
                for metric in COMPARED_PER_CLASS
            ],
        )
        for name in in_a
        if name in in_b
    ]


def _section(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section: Mapping[str, Any] = manifest["metrics"].get(name) or {}
    return section


class Promotion(BaseModel):
    """A change of the champion."""

    version: str = Field(description="The version in use from then on.")
    replaced: str | None = Field(description="The version in use before; null for the first.")
    kind: Kind
    at: datetime


class PromotionByHand(Promotion):
    lacks_thresholds: list[str] = Field(
        description="Fruits whose own freshness thresholds in the version before this one lacks: "
        "POST /models/{version}/thresholds takes them over."
    )


class History(BaseModel):
    promotions: list[Promotion] = Field(description="The newest first.")
