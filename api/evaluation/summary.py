"""The headline figures of a measurement: as lines of text, and as rows for a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.core.labels import read_label

_GRADES = (
    "accuracy",
    "fruit_accuracy",
    "edible_not_called_rotten",
    "expected_calibration_error",
    "wrong_and_sure",
)
_REFUSED = (
    "known_rejected",
    "near_rejected",
    "near_rejected_at_98",
    "others_rejected",
    "others_rejected_at_98",
)
_TITLES = {
    "leave_one_source_out": "Leave one source out",
    "by_photograph": "Five folds",
    "by_phone_run": "Five folds, phone runs",
    "other_sources": "Five folds, other sources",
    "rejection": "Five folds, what is none of the fruits",
    "supplied_split": "Supplied split",
}
NAMES = (
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


def summary_lines(measured: Mapping[str, Any]) -> list[str]:
    """The headline of each part that was measured, and of each source left out."""
    lines = []
    for name, title in _TITLES.items():
        if name in measured:
            scores = measured[name]
            figures = _REFUSED if name == "rejection" else _GRADES
            lines.append(f"{title}: {_told(scores, figures)} [{scores['split']}].")
        if name == "leave_one_source_out" and name in measured:
            lines += _of_sources(measured[name])
    return lines


def _of_sources(scores: Mapping[str, Any]) -> list[str]:
    """What stands below the headline of leaving one source out."""
    lines = [f"  Mean of sources: {_told(scores['mean_of_sources'], _GRADES)}."]
    for source, found in scores["by_source"].items():
        lines.append(f"  Without {source or 'the folders of no source'}: {_told(found, _GRADES)}.")
    if scores["per_class"]:
        worst = scores["per_class"][0]
        words = read_label(worst["class"]).words
        lines.append(f"  Worst class: {words}, {_told(worst, ('accuracy',))}.")
    for pair, found in scores["freshness_pairs"].items():
        unlike = "" if found["told_apart"] else "; not told apart"
        lines.append(f"  {pair.replace('_', ' ')}: {_told(found, ('ordered',))}{unlike}.")
    return [*lines, f"  Refused: {_told(scores['rejection'], _REFUSED)}."]


def _told(scores: Mapping[str, Any], figures: Sequence[str]) -> str:
    """Those of `figures` that were measured, each with its 95 % interval."""
    told = []
    for name in figures:
        if scores.get(name) is not None:
            bounds = scores.get(f"{name}_interval_95")
            interval = f" ({bounds[0]:.1%} to {bounds[1]:.1%})" if bounds else ""
            told.append(f"{name.replace('_', ' ')} {scores[name]:.2%}{interval}")
    return ", ".join(told) or "nothing measured"


def headlines(scores: Mapping[str, Any]) -> dict[str, dict[str, float | None]]:
    """Of each headline in `scores`, in words, its `value` and 95 % interval `from` and `to`.

    A headline that was not measured is left out; one without an interval has None for both.
    """
    rows = {}
    for name in NAMES:
        if scores.get(name) is not None:
            low, high = scores.get(f"{name}_interval_95") or (None, None)
            rows[name.replace("_", " ")] = {"value": scores[name], "from": low, "to": high}
    return rows
