"""Headline metrics of an evaluation, as lines of text and as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.core.labels import read_label

_TITLES = {
    "leave_one_source_out": "Leave one source out",
    "by_photograph": "Five folds",
    "by_phone_run": "Five folds, phone runs",
    "other_sources": "Five folds, other sources",
    "rejection": "Five folds, what is none of the fruits",
    "supplied_split": "Supplied split",
}
_FRUIT = (
    "accuracy",
    "fruit_accuracy",
    "edible_not_called_rotten",
    "expected_calibration_error",
    "wrong_and_sure",
)
_REJECTION = (
    "known_rejected",
    "near_rejected",
    "near_rejected_at_98",
    "others_rejected",
    "others_rejected_at_98",
)
_TABLE = (
    "accuracy",
    "fruit_accuracy",
    "freshness_accuracy",
    "edible_not_called_rotten",
    "expected_calibration_error",
    "expected_calibration_error_before_scaling",
    "wrong_and_sure",
    "known_rejected",
    "near_rejected",
    "near_rejected_at_98",
    "near_auroc",
    "others_rejected",
    "others_rejected_at_98",
    "auroc",
)


def summary_lines(evaluation: Mapping[str, Any]) -> list[str]:
    """A line for each part of a cross-validation, and for each source left out."""
    lines = []
    for name, title in _TITLES.items():
        if name not in evaluation:
            continue
        metrics = evaluation[name]
        names = _REJECTION if name == "rejection" else _FRUIT
        lines.append(f"{title}: {_format(metrics, names)} [{metrics['split']}].")
        if name == "leave_one_source_out":
            lines += _source_lines(metrics)
    return lines


def _source_lines(metrics: Mapping[str, Any]) -> list[str]:
    lines = [f"  Mean of sources: {_format(metrics['mean_of_sources'], _FRUIT)}."]
    for source, of_source in metrics["by_source"].items():
        lines.append(
            f"  Without {source or 'the folders of no source'}: {_format(of_source, _FRUIT)}."
        )
    if metrics["per_class"]:
        worst = metrics["per_class"][0]
        words = read_label(worst["class"]).words
        lines.append(f"  Worst class: {words}, {_format(worst, ('accuracy',))}.")
    for pair, order in metrics["freshness_pairs"].items():
        verdict = "" if order["told_apart"] else "; not told apart"
        lines.append(f"  {pair.replace('_', ' ')}: {_format(order, ('ordered',))}{verdict}.")
    return [*lines, f"  Refused: {_format(metrics['rejection'], _REJECTION)}."]


def _format(metrics: Mapping[str, Any], names: Sequence[str]) -> str:
    """Those of the named metrics that were measured, each with its 95 % interval."""
    parts = []
    for name in names:
        if metrics.get(name) is not None:
            bounds = metrics.get(f"{name}_interval_95")
            interval = f" ({bounds[0]:.1%} to {bounds[1]:.1%})" if bounds else ""
            parts.append(f"{name.replace('_', ' ')} {metrics[name]:.2%}{interval}")
    return ", ".join(parts) or "nothing measured"


def summary_table(metrics: Mapping[str, Any]) -> dict[str, dict[str, float | None]]:
    """By metric, in words: `value`, and the 95 % interval `from` and `to`, None without one.

    Metrics that were not measured are left out.
    """
    rows = {}
    for name in _TABLE:
        if metrics.get(name) is not None:
            low, high = metrics.get(f"{name}_interval_95") or (None, None)
            rows[name.replace("_", " ")] = {"value": metrics[name], "from": low, "to": high}
    return rows


def detection_lines(metrics: dict[str, Any]) -> list[str]:
    """The main figures of `measure_detection`, in words."""
    trays, graded = metrics["trays"], metrics["grades_of_found"]
    lines = [
        f"{source}: {_percent(row['recall'])} of {row['fruits']} fruits found, average precision "
        f"{_percent(row['average_precision'])}, right number in {_percent(row['right_number'])} of "
        f"{row['photographs']} photographs."
        for source, row in metrics["by_source"].items()
    ]
    lines += [
        f"{source}, one fruit: exactly one found in {_percent(row['exactly_one'])} of "
        f"{row['photographs']} photographs."
        for source, row in metrics["single"].items()
    ]
    lines.append(
        f"Fresh or rotten right for {_percent(graded['fresh_or_rotten_right'])} of "
        f"{graded['fruits']} found fruits with a level."
    )
    if trays:
        lines.append(
            f"{trays['trays']} composed trays: the rotten one found and called rotten in "
            f"{_percent(trays['rotten_found_and_called_rotten'])}, "
            f"{_percent(trays['sound_called_rotten'])} of {trays['sound_found']} sound ones found "
            "called rotten."
        )
    return lines


def _percent(share: float | None) -> str:
    return "not measured" if share is None else f"{share:.1%}"
