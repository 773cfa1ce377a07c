"""API schemas of model versions: their metrics, history, and two versions compared."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.core.formatting import clean_line
from api.model.manifest import DataFingerprint, Manifest
from api.registry.repository import Kind, Origin
from api.storage.tables.models import ModelRow

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
    """Name and note of a version. Omitted fields stay unchanged; an empty string clears a field."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(max_length=60), AfterValidator(clean_line)] | None = Field(
        default=None, description="Null leaves the name unchanged."
    )
    note: Annotated[str, Field(max_length=2000), AfterValidator(_clean_lines)] | None = Field(
        default=None, description="Null leaves the note unchanged."
    )


class Headlines(BaseModel):
    """Headline metrics of a version; null if not measured."""

    split: str | None = Field(
        description="Description of the photos that the metrics were measured on."
    )
    files: int | None = Field(description="Number of test files.")
    photographs: int | None = Field(description="Number of distinct photos among them.")
    macro_f1: float | None = Field(description="Mean of the F1 scores of all classes, 0 to 1.")
    accuracy: float | None = Field(description="Share of the files with the correct class, 0 to 1.")
    expected_calibration_error: float | None = Field(
        description="Expected calibration error, 0 to 1."
    )

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        scores = _section(manifest, TEST)
        return cls(**{name: scores.get(name) for name in cls.model_fields})


class Version(BaseModel):
    """A model version."""

    version: str
    status: Status = Field(
        description="champion: the current version; challenger: never in use; retired: in use "
        "before; pruned: files deleted, only the record remains."
    )
    created_at: datetime = Field(description="When the version was made.")
    registered_at: datetime = Field(description="When the version was registered in this catalog.")
    origin: Origin = Field(
        description="shipped: came with the service; otherwise the mode of the run that made it."
    )
    parent: str | None = Field(
        description="Version that this one was made from; null if there is none."
    )
    started_by: str = Field(
        description="start: came with the service; manual: run of a user; trigger:NAME or "
        "suggestion:NAME: run of a trigger, or of a user who accepted its suggestion."
    )
    run_id: str | None = Field(description="ID of the run that made the version; null if none did.")
    name: str = Field(description="Name given by a user; empty if there is none.")
    note: str = Field(description="Note by a user; empty if there is none.")
    classes: tuple[str, ...] = Field(
        description="Class names, in the order of the model's outputs."
    )
    metrics: Headlines = Field(description="Metrics on the version's own test photos.")
    data: DataFingerprint = Field(description="Photos that the version was trained and tested on.")
    recipe: dict[str, Any] = Field(description="Hyperparameters of the training.")
    verdict: dict[str, Any] | None = Field(
        description="Verdict of the promotion gate; null if there is none."
    )

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
    manifest: Manifest = Field(description="Contents of the package's `manifest.json`.")


class Versions(BaseModel):
    champion: str | None = Field(description="The current version; null if there is none.")
    rollback_to: str | None = Field(
        description="Version that a rollback would return to; null if there is none."
    )
    models: list[Version] = Field(description="Versions, newest first.")


class Difference(BaseModel):
    """A metric of two versions. `difference` is `b` minus `a`; null if either is missing."""

    name: str = Field(description="Name of the metric, as in the manifest.")
    better: Better = Field(description="Whether higher or lower values are better.")
    a: float | None = Field(description="Value of the first version; null if not measured.")
    b: float | None = Field(description="Value of the second version; null if not measured.")
    difference: float | None

    @classmethod
    def between(cls, name: str, better: Better, a: Mapping[str, Any], b: Mapping[str, Any]) -> Self:
        in_a, in_b = a.get(name), b.get(name)
        difference = None if in_a is None or in_b is None else in_b - in_a
        return cls(name=name, better=better, a=in_a, b=in_b, difference=difference)


class ClassDifference(BaseModel):
    """Metrics of a class that both versions know."""

    class_name: str
    figures: list[Difference]


class VersionComparison(BaseModel):
    """Comparison of two versions."""

    a: Version
    b: Version
    same_data: bool = Field(
        description="Whether both versions were made from the same photos. If false, their "
        "metrics come from different test photos, which may explain a difference; the verdict of "
        "the promotion gate compares versions on the same photos."
    )
    figures: list[Difference] = Field(description="Metrics that at least one of the versions has.")
    per_class: list[ClassDifference] = Field(
        description="Precision, recall and F1 of each class that both versions know."
    )


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
    """A change of the current version."""

    version: str = Field(description="Version that was put in use.")
    replaced: str | None = Field(description="Version in use before; null for the first one.")
    kind: Kind = Field(
        description="first: there was none before; gate: passed the promotion gate; manual: "
        "promoted by a user; rollback: put back by a user."
    )
    at: datetime = Field(description="When the version was put in use, in UTC.")


class PromotionByHand(Promotion):
    lacks_thresholds: list[str] = Field(
        description="Fruits that have their own freshness thresholds in the previous version but "
        "not in this one. `POST /models/{version}/thresholds` copies them."
    )


class History(BaseModel):
    promotions: list[Promotion] = Field(description="Promotions, newest first.")
