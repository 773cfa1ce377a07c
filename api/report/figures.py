"""The figures that stand together: of a version, and of the recipe that it comes from."""

from collections.abc import Iterator, Mapping
from typing import Any

from api.report.schemas import Figure, Name

VERSION = "test_by_photograph"
SOURCES = "leave_one_source_out"
SUPPLIED = "supplied_split"


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
    part = metrics.get(VERSION) or {}
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
