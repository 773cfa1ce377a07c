"""The report on one version."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from api.dataset.labels import read_label
from api.registry.manifest import DataFingerprint
from api.report.figures import SOURCES, SUPPLIED, figures, source_in_words
from api.report.measured import comparison, crossvalidation
from api.report.schemas import Figure, Report
from api.wording import percent

_LEVELS = {"fresh": "fresh", "past_best": "past its best", "rotten": "rotten"}


def report(manifest: Mapping[str, Any], folder: Path) -> Report:
    """Of the version with this manifest; `folder` has what was measured of the recipe."""
    measured = crossvalidation(folder)
    found = figures(manifest["metrics"], measured)
    data = measured.get("data")
    return Report(
        version=manifest["version"],
        architecture=manifest["architecture"],
        figures=found,
        recipe_data=DataFingerprint.model_validate(data) if data else None,
        same_data=data is not None and data["sha256"] == manifest["data"]["sha256"],
        comparison=comparison(folder),
        story=" ".join(_story(found, measured)),
    )


def _story(found: Sequence[Figure], measured: Mapping[str, Any]) -> list[str]:
    by_name = {figure.name: figure for figure in found}
    said = []
    if sources := by_name.get("sources"):
        said += _unmet(sources, measured[SOURCES])
    if test := by_name.get("test"):
        said.append(
            f"Of photographs that it has not seen, this version gets {percent(test.value)} right."
        )
    else:
        said.append("This version was not measured on photographs of its own.")
    if folds := by_name.get("folds"):
        said.append(
            f"Over five draws of such photographs, its recipe gets {percent(folds.value)} right."
        )
    if phone := by_name.get("phone_fruit"):
        said.append(
            f"On phone photographs of runs held out, it names {percent(phone.value)} of the fruits."
        )
    if supplied := by_name.get("supplied"):
        part = measured[SUPPLIED]
        said.append(
            f"The set's own split gives {percent(supplied.value)}, but "
            f"{part['test_photographs_also_in_train']:,} of its {part['test_photographs']:,} test "
            "photographs have a copy among those learned from: compare it with what others "
            "publish, and with nothing else."
        )
    return said


def _unmet(sources: Figure, part: Mapping[str, Any]) -> list[str]:
    """What the recipe does on photographs of people whom it has never met."""
    said = [
        f"Of photographs from sources that it has never met, its recipe gets "
        f"{percent(sources.value)} right: closest to what your own photographs will get."
    ]
    worst = (part.get("worst_groups") or [None])[0]
    if worst and worst["correct"] < worst["fruits"]:
        words = read_label(worst["class"]).words
        said.append(
            f"The worst of them are the {words} photographs of {source_in_words(worst['source'])}: "
            f"{worst['correct']} of {worst['fruits']} right."
        )
    for pair, found in (part.get("freshness_pairs") or {}).items():
        if not found["told_apart"]:
            fresher, staler = (_LEVELS[level] for level in pair.split(" over "))
            said.append(
                f"These photographs do not show that it tells {fresher} from {staler}: in "
                f"{percent(found['ordered'])} of the pairs the fresher scores higher, where half "
                "is chance."
            )
    return said
