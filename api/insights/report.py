"""The report on one version: its own metrics, those of its recipe, and a summary in words."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from api.core.formatting import percent
from api.core.labels import read_label
from api.insights.report_schemas import (
    ArchitectureComparison,
    Figure,
    FigureName,
    KeptVersion,
    Report,
)
from api.model.manifest import DataFingerprint
from api.registry.schemas import TEST

SOURCES = "leave_one_source_out"
SUPPLIED = "supplied_split"
CROSSVALIDATION = "crossvalidation.json"
COMPARISON = "comparison.json"
# Name, section of the metrics, metric and title.
_SPLIT_FIGURES: tuple[tuple[FigureName, str, str, str], ...] = (
    ("test", TEST, "accuracy", "Right class, test photos"),
    ("folds", "by_photograph", "accuracy", "Right class, every photo held out once"),
    ("phone_fruit", "by_phone_run", "fruit_accuracy", "Right fruit, phone photos"),
    (
        "phone_edible",
        "by_phone_run",
        "edible_not_called_rotten",
        "Edible fruit not called rotten, phone photos",
    ),
    ("supplied", SUPPLIED, "accuracy", "Right class, the set's own split"),
)
_LEVELS = {"fresh": "fresh", "past_best": "past its best", "rotten": "rotten"}
log = logging.getLogger(__name__)


def report(
    manifest: Mapping[str, Any], folder: Path, verdict: Mapping[str, Any] | None = None
) -> Report:
    """The report on the version of `manifest`, with the gate's `verdict` on it; `folder` holds the
    measurements of its recipe.
    """
    measured = crossvalidation(folder)
    shown = figures(manifest["metrics"], measured)
    data = measured.get("data")
    return Report(
        version=manifest["version"],
        architecture=manifest["architecture"],
        figures=shown,
        recipe_data=DataFingerprint.model_validate(data) if data else None,
        same_data=data is not None and data["sha256"] == manifest["data"]["sha256"],
        comparison=comparison(folder),
        kept_versions=_kept_versions(verdict or {}),
        story=" ".join(_story(shown, measured)),
    )


def _kept_versions(verdict: Mapping[str, Any]) -> list[KeptVersion]:
    stored = verdict.get("figures", {}).get("kept_versions", [])
    return [KeptVersion.model_validate(one) for one in stored]


def figures(metrics: Mapping[str, Any], crossvalidated: Mapping[str, Any]) -> list[Figure]:
    """Metrics of a manifest and of a cross-validation, as far as they were measured.

    Unseen sources come first and the leaking split last.
    """
    shown = list(_source_figures(crossvalidated.get(SOURCES) or {}))
    for name, section, value, title in _SPLIT_FIGURES:
        part = (metrics if name == "test" else crossvalidated).get(section) or {}
        if part.get(value) is not None:
            shown.append(_figure(name, title, part, value))
    return shown


def _source_in_words(source: str) -> str:
    return source.replace("_", " ") or "folders of no source"


def _source_figures(measured: Mapping[str, Any]) -> Iterator[Figure]:
    """The recipe on sources left out of training, together and one by one, and on other produce."""
    if measured.get("accuracy") is not None:
        yield _figure("sources", "Right class, sources never met", measured, "accuracy")
    for source, part in (measured.get("by_source") or {}).items():
        # Some sources are labelled by fruit only.
        by_fruit = part.get("accuracy") is None
        value = "fruit_accuracy" if by_fruit else "accuracy"
        if part.get(value) is not None:
            title = f"Right {'fruit' if by_fruit else 'class'}, {_source_in_words(source)} left out"
            split = f"graded by a grader that has seen nothing of {_source_in_words(source)}"
            yield _figure("source", title, {"split": split, **part}, value)
    rejection = measured.get("rejection") or {}
    if rejection.get("near_rejected") is not None:
        split = "kinds of other produce that the grader has not learned, sources left out"
        part = {"split": split, **rejection}
        yield _figure("near", "Other produce not taken for these fruits", part, "near_rejected")


def _figure(name: FigureName, title: str, part: Mapping[str, Any], value: str) -> Figure:
    low, high = part.get(f"{value}_interval_95") or (None, None)
    return Figure(
        name=name,
        title=title,
        value=part[value],
        low=low,
        high=high,
        counts=_counts(part),
        split=part.get("split") or "not told",
        measures="version" if name == "test" else "recipe",
        leaks=bool(part.get("leaks")),
    )


def _counts(part: Mapping[str, Any]) -> str:
    if "near_kinds" in part:
        return f"{part['near_files']:,} answers on {part['near_kinds']:,} kinds"
    if "fruits" in part:
        return f"{part['fruits']:,} fruits on {part['photographs']:,} photos"
    if "boxes" in part:
        return f"{part['boxes']:,} boxed fruits on {part['frames']:,} photos"
    if "files" in part:
        return f"{part['files']:,} files of {part.get('photographs', part['files']):,} photos"
    return "not told"


def crossvalidation(folder: Path) -> dict[str, Any]:
    """Results of `api.evaluation.cross_validation`; empty if there are none."""
    return _read(folder / CROSSVALIDATION)


def comparison(folder: Path) -> ArchitectureComparison | None:
    """Results of `api.evaluation.compare_architectures`; None if there are none."""
    measured = _read(folder / COMPARISON)
    try:
        return ArchitectureComparison.model_validate(measured) if measured else None
    except ValidationError as error:
        log.warning("%s is not used: %s", folder / COMPARISON, error)
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError:
        return {}
    except ValueError as error:
        log.warning("%s is not used: %s", path, error)
        return {}
    return content if isinstance(content, dict) else {}


def _story(shown: Sequence[Figure], measured: Mapping[str, Any]) -> Iterator[str]:
    """Sentences of the summary."""
    by_name = {figure.name: figure for figure in shown}
    if sources := by_name.get("sources"):
        yield from _unseen_sources_story(sources, measured[SOURCES])
    if test := by_name.get("test"):
        yield (f"Of photos that it has not seen, this version gets {percent(test.value)} right.")
    else:
        yield "This version was not measured on photos of its own."
    if folds := by_name.get("folds"):
        yield f"Over five draws of such photos, its recipe gets {percent(folds.value)} right."
    if phone := by_name.get("phone_fruit"):
        yield (f"On phone photos of runs held out, it names {percent(phone.value)} of the fruits.")
    if supplied := by_name.get("supplied"):
        part = measured[SUPPLIED]
        yield (
            f"The set's own split gives {percent(supplied.value)}, but "
            f"{part['test_photographs_also_in_train']:,} of its {part['test_photographs']:,} test "
            "photos have a copy among those learned from: compare it with what others "
            "publish, and with nothing else."
        )


def _unseen_sources_story(sources: Figure, part: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Of photos from sources that it has never met, its recipe gets "
        f"{percent(sources.value)} right: closest to what your own photos will get."
    )
    worst = (part.get("worst_groups") or [None])[0]
    if worst and worst["correct"] < worst["fruits"]:
        words, source = read_label(worst["class"]).words, _source_in_words(worst["source"])
        yield (
            f"The worst of them are the {words} photos of {source}: "
            f"{worst['correct']} of {worst['fruits']} right."
        )
    for pair, result in (part.get("freshness_pairs") or {}).items():
        if result["ordered"] is not None and not result["told_apart"]:
            fresher, staler = (_LEVELS[level] for level in pair.split(" over "))
            yield (
                f"These photos do not show that it tells {fresher} from {staler}: in "
                f"{percent(result['ordered'])} of the pairs the fresher scores higher, where half "
                "is chance."
            )
