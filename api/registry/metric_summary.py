"""The figures of a version, and of two side by side: a manifest in, values out."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

# The measurement on photographs that the version has not seen.
TEST = "test_by_photograph"
REJECTION = "rejection"
Better = Literal["higher", "lower"]
# Where a figure stands in the metrics, and which way is better.
FIGURES: tuple[tuple[str, str, Better], ...] = (
    (TEST, "macro_f1", "higher"),
    (TEST, "accuracy", "higher"),
    (TEST, "expected_calibration_error", "lower"),
    (TEST, "fruit_accuracy", "higher"),
    (TEST, "freshness_accuracy", "higher"),
    (REJECTION, "known_rejected", "lower"),
    (REJECTION, "others_rejected", "higher"),
    (REJECTION, "auroc", "higher"),
)
OF_CLASS = ("precision", "recall", "f1")


class Headlines(BaseModel):
    """What a version was measured to be worth; null where that was not measured."""

    split: str | None = Field(description="What it was measured on.")
    files: int | None
    photographs: int | None
    macro_f1: float | None
    accuracy: float | None
    expected_calibration_error: float | None


class Difference(BaseModel):
    """One figure of two versions; `difference` is b less a, null where one has none."""

    name: str
    better: Better
    a: float | None
    b: float | None
    difference: float | None


class ClassDifference(BaseModel):
    """One class that both versions know."""

    class_name: str
    figures: list[Difference]


def headlines(manifest: Mapping[str, Any]) -> Headlines:
    scores = _part(manifest, TEST)
    return Headlines(**{name: scores.get(name) for name in Headlines.model_fields})


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    """The figures that at least one of the two manifests has."""
    rows = [
        _difference(name, better, _part(a, part), _part(b, part)) for part, name, better in FIGURES
    ]
    return [row for row in rows if row.a is not None or row.b is not None]


def class_differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[ClassDifference]:
    of_a = _part(a, TEST).get("per_class") or {}
    of_b = _part(b, TEST).get("per_class") or {}
    return [
        ClassDifference(
            class_name=name,
            figures=[_difference(kind, "higher", of_a[name], of_b[name]) for kind in OF_CLASS],
        )
        for name in of_a
        if name in of_b
    ]


def _part(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part: Mapping[str, Any] = manifest["metrics"].get(name) or {}
    return part


def _difference(
    name: str, better: Better, a: Mapping[str, Any], b: Mapping[str, Any]
) -> Difference:
    of_a, of_b = a.get(name), b.get(name)
    difference = None if of_a is None or of_b is None else of_b - of_a
    return Difference(name=name, better=better, a=of_a, b=of_b, difference=difference)
