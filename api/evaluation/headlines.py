"""The headline figures of one measurement, for a table."""

from collections.abc import Mapping
from typing import Any

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
