"""Metrics on fruit of several sources: all together, and each source; JSON-ready."""

from typing import Any

import numpy as np

from api.core.calibration import expected_calibration_error
from api.core.layout import FAR, NEAR
from api.core.metrics import confidently_wrong, interval, share, worst_groups
from api.evaluation.freshness_metrics import freshness_pairs
from api.evaluation.graded import GradedSamples
from api.evaluation.ood_metrics import ood_metrics

# Averaged over sources, each with the same weight.
_AVERAGED = (
    "accuracy",
    "fruit_accuracy",
    "edible_not_called_rotten",
    "expected_calibration_error",
    "wrong_and_sure",
    "known_rejected",
)


def source_metrics(split: str, fruit: GradedSamples) -> dict[str, Any]:
    """Metrics of all fruit together, the unweighted mean of the sources, and each source, the worst
    first. `split` describes the fruit in words."""
    by_source = {
        source: _metrics(fruit.where(fruit.sources == source))
        for source in np.unique(fruit.sources).tolist()
    }
    known = fruit.where(fruit.has_class)
    groups = worst_groups(known.correct, known.sources.tolist(), known.class_names.tolist())
    return {
        "split": split,
        **_metrics(fruit),
        "worst_groups": [
            {
                "source": group.source,
                "class": group.class_name,
                "fruits": group.count,
                "correct": group.correct,
                "accuracy": group.accuracy,
            }
            for group in groups
        ],
        "mean_of_sources": {name: _mean(by_source, name) for name in _AVERAGED},
        "by_source": dict(sorted(by_source.items(), key=_accuracy_of_source)),
    }


def rejection_metrics(fruit: GradedSamples, graded: GradedSamples) -> dict[str, Any]:
    """`ood_metrics` of `fruit` against the out-of-distribution samples among `graded`."""
    near, far = graded.ood_margins(NEAR), graded.ood_margins(FAR)
    return ood_metrics(
        fruit.margins, fruit.sources.tolist(), near, far, graded.predictions.synthetic
    )


def _metrics(fruit: GradedSamples) -> dict[str, Any]:
    """None for metrics without a sample."""
    groups, predictions = fruit.groups.tolist(), fruit.predictions
    known, edible = fruit.where(fruit.has_class), fruit.where(fruit.edible)
    misleading = confidently_wrong(
        fruit.correct, predictions.probabilities.max(axis=1), predictions.recognised
    )
    return {
        "fruits": len(fruit),
        "photographs": len({sample.copies[0] for sample in fruit.samples}),
        "groups": len(set(groups)),
        "of_known_class": len(known),
        "correct": int(known.correct.sum()),
        **share("accuracy", known.correct, known.groups.tolist()),
        **share("fruit_accuracy", fruit.same_fruit, groups),
        **share("edible_not_called_rotten", edible.called_edible, edible.groups.tolist()),
        **_calibration(known),
        **share("wrong_and_sure", misleading, groups),
        "wrong_and_sure_count": int(misleading.sum()),
        **share("known_rejected", ~predictions.recognised, groups),
        "per_class": _per_class(known),
        "freshness_pairs": freshness_pairs(
            fruit.freshness_scores, fruit.levels, fruit.sources, fruit.groups
        ),
    }


def _per_class(known: GradedSamples) -> list[dict[str, Any]]:
    """Accuracy of every class, the worst first."""
    rows = []
    for group in worst_groups(known.correct, [""] * len(known), known.class_names.tolist()):
        own = known.where(known.class_names == group.class_name)
        accuracy = share("accuracy", own.correct, own.groups.tolist())
        rows.append({"class": group.class_name, "fruits": group.count, **accuracy})
    return rows


def _calibration(known: GradedSamples) -> dict[str, Any]:
    """The calibration error of fruit of a known class, with and without temperature."""
    name = "expected_calibration_error"
    if not len(known):
        return {name: None, f"{name}_interval_95": None, f"{name}_before_scaling": None}
    probabilities, labels = known.predictions.probabilities, known.labels
    return {
        name: expected_calibration_error(probabilities, labels),
        f"{name}_interval_95": interval(
            lambda rows: expected_calibration_error(probabilities[rows], labels[rows]),
            known.groups.tolist(),
        ),
        f"{name}_before_scaling": expected_calibration_error(
            known.predictions.uncalibrated, labels
        ),
    }


def _mean(by_source: dict[str, dict[str, Any]], name: str) -> float | None:
    """The mean over the sources that have the metric."""
    values = [metrics[name] for metrics in by_source.values() if metrics[name] is not None]
    return float(np.mean(values)) if values else None


def _accuracy_of_source(row: tuple[str, dict[str, Any]]) -> float:
    """Accuracy, or fruit accuracy where no class is known."""
    metrics = row[1]
    return float(metrics["fruit_accuracy"] if metrics["accuracy"] is None else metrics["accuracy"])
