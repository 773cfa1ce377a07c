"""The report on one version: its own figures, those of its recipe, and the story of both."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from api.core.formatting import percent
from api.core.labels import read_label
from api.insights.report_schemas import ArchitectureComparison, Figure, Name, Report
from api.model.manifest import DataFingerprint
from api.registry.metric_summary import TEST

SOURCES = "leave_one_source_out"
SUPPLIED = "supplied_split"
CROSSVALIDATION = "crossvalidation.json"
COMPARISON = "comparison.json"
_LEVELS = {"fresh": "fresh", "past_best": "past its best", "rotten": "rotten"}
log = logging.getLogger(__name__)


def figures(metrics: Mapping[str, Any], crossvalidated: Mapping[str, Any]) -> list[Figure]:
    """From the metrics of a manifest and from a cross-validation; what was not measured is left
    out. Photographs of people whom nobody has met come first, the split that leaks last."""
    return [
        *_of_sources(crossvalidated.get(SOURCES) or {}),
        *_of_version(metrics),
        *_of_recipe(crossvalidated),
    ]


def source_in_words(source: str) -> str:
    """`white_paper` is white paper; the class folders of no source are called so."""
    return source.replace("_", " ") or "folders of no source"


def _of_sources(found: Mapping[str, Any]) -> Iterator[Figure]:
    """The recipe on sources left out: all together, each by itself, and other produce."""
    if found.get("accuracy") is not None:
        yield _figure("sources", "Right class, sources never met", found, "accuracy")
    for source, part in (found.get("by_source") or {}).items():
        # Where only the fruit of a source is known, that is what can be right.
        value = "fruit_accuracy" if part.get("accuracy") is None else "accuracy"
        what = "Right fruit" if value == "fruit_accuracy" else "Right class"
        split = f"graded by a grader that has seen nothing of {source_in_words(source)}"
        yield _figure(
            "source", f"{what}, {source_in_words(source)} left out", {"split": split, **part}, value
        )
    refused = found.get("rejection") or {}
    if refused.get("near_rejected") is not None:
        split = "kinds of other produce that the grader has not learned, sources left out"
        part = {"split": split, **refused}
        yield _figure("near", "Other produce not taken for these fruits", part, "near_rejected")


def _of_version(metrics: Mapping[str, Any]) -> Iterator[Figure]:
    part = metrics.get(TEST) or {}
    if "accuracy" in part:
        yield _figure("test", "Right class, test photographs", part, "accuracy", of_version=True)


def _of_recipe(found: Mapping[str, Any]) -> Iterator[Figure]:
    if "accuracy" in (folds := found.get("by_photograph") or {}):
        yield _figure("folds", "Right class, every photograph held out once", folds, "accuracy")
    phone = found.get("by_phone_run") or {}
    if "fruit_accuracy" in phone:
        yield _figure("phone_fruit", "Right fruit, phone photographs", phone, "fruit_accuracy")
    if "edible_not_called_rotten" in phone:
        title = "Edible fruit not called rotten, phone photographs"
        yield _figure("phone_edible", title, phone, "edible_not_called_rotten")
    if "accuracy" in (supplied := found.get(SUPPLIED) or {}):
        yield _figure("supplied", "Right class, the set's own split", supplied, "accuracy")


def _figure(
    name: Name, title: str, part: Mapping[str, Any], value: str, of_version: bool = False
) -> Figure:
    low, high = part.get(f"{value}_interval_95") or (None, None)
    return Figure(
        name=name,
        title=title,
        value=part[value],
        low=low,
        high=high,
        counts=_counts(part),
        split=part.get("split") or "not told",
        measures="version" if of_version else "recipe",
        leaks=bool(part.get("leaks")),
    )


def _counts(part: Mapping[str, Any]) -> str:
    if "near_kinds" in part:
        return f"{part['near_files']:,} answers on {part['near_kinds']:,} kinds"
    if "fruits" in part:
        return f"{part['fruits']:,} fruits on {part['photographs']:,} photographs"
    if "boxes" in part:
        return f"{part['boxes']:,} boxed fruits on {part['frames']:,} photographs"
    if "files" in part:
        return f"{part['files']:,} files of {part.get('photographs', part['files']):,} photographs"
    return "not told"


def crossvalidation(folder: Path) -> dict[str, Any]:
    """The figures of `api.evaluation.cross_validation`; empty where they were not measured."""
    return _read(folder / CROSSVALIDATION)


def comparison(folder: Path) -> ArchitectureComparison | None:
    """The rows of `api.evaluation.compare_architectures`; None where they were not measured."""
    found = _read(folder / COMPARISON)
    try:
        return ArchitectureComparison.model_validate(found) if found else None
    except ValidationError as error:
        log.warning("%s is not used: %s", folder / COMPARISON, error)
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except OSError:
        return {}


@lru_cache(maxsize=4)
def _parsed(path: Path, _changed: int) -> dict[str, Any]:
    """`_changed` is there for the cache: a file that was written anew is read anew."""
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        log.warning("%s is not used: %s", path, error)
        return {}
    return found if isinstance(found, dict) else {}


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
