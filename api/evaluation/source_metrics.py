"""Metrics on fruit of several sources: all together, and each source; JSON-ready."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.calibration import expected_calibration_error
from api.core.labels import LEVELS, read_label
from api.core.layout import FAR, NEAR
from api.core.metrics import confidently_wrong, interval, share, worst_groups
from api.evaluation.freshness_metrics import freshness_pairs
from api.evaluation.ood_metrics import OodMargins, ood_metrics
from api.evaluation.out_of_fold import OutOfFold, margins_of
from api.training.samples import Sample, targets

# Averaged over sources, each with the same weight.
_AVERAGED = (
    "accuracy",
    "fruit_accuracy",
    "edible_not_called_rotten",
    "expected_calibration_error",
    "wrong_and_sure",
    "known_rejected",
)


@dataclass(frozen=True)
class GradedFruit:
    """In-distribution samples [n] and their predictions.

    A sample of unknown level counts for its fruit alone: its class is not known.
    """

    samples: Sequence[Sample]
    predictions: OutOfFold
    classes: Sequence[str]

    @classmethod
    def select(
        cls,
        samples: Sequence[Sample],
        predictions: OutOfFold,
        classes: Sequence[str],
        rows: NDArray[np.bool_],
    ) -> "GradedFruit":
        """The samples where `rows` [n] is True."""
        chosen = [sample for sample, own in zip(samples, rows.tolist(), strict=True) if own]
        return cls(chosen, predictions.rows(rows), classes)

    def of_source(self, source: str) -> "GradedFruit":
        return GradedFruit.select(
            self.samples, self.predictions, self.classes, self.sources == source
        )

    @cached_property
    def targets(self) -> NDArray[np.float32]:
        """float32 [n, classes]."""
        return targets(self.samples).reshape(len(self.samples), len(self.classes))

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The class, int64 [n]; the first of several possible ones."""
        labels: NDArray[np.int64] = self.targets.argmax(axis=1)
        return labels

    @cached_property
    def has_class(self) -> NDArray[np.bool_]:
        """Whether the class is known: bool [n]."""
        known: NDArray[np.bool_] = (self.targets > 0).sum(axis=1) == 1
        return known

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        predicted: NDArray[np.int64] = self.predictions.probabilities.argmax(axis=1)
        return predicted

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the predicted class is a possible one: bool [n]."""
        rows = np.arange(len(self.samples))
        correct: NDArray[np.bool_] = self.targets[rows, self.predicted] > 0
        return correct

    @cached_property
    def sources(self) -> NDArray[np.str_]:
        return np.array([sample.source for sample in self.samples], dtype=np.str_)

    @cached_property
    def groups(self) -> NDArray[np.str_]:
        return np.array([sample.group for sample in self.samples], dtype=np.str_)

    @cached_property
    def levels(self) -> NDArray[np.str_]:
        """One of LEVELS, or empty if unknown: [n]."""
        return np.array([_level(sample, self.classes) for sample in self.samples], dtype=np.str_)

    @cached_property
    def freshness_scores(self) -> NDArray[np.float32]:
        """The probability of "not rotten": float32 [n]."""
        fresh = [read_label(name).freshness == "fresh" for name in self.classes]
        score: NDArray[np.float32] = self.predictions.probabilities[:, fresh].sum(axis=1)
        return score


def source_metrics(split: str, fruit: GradedFruit) -> dict[str, Any]:
    """Metrics of all fruit together, the unweighted mean of the sources, and each source, the worst
    first. `split` describes the fruit in words."""
    by_source = {
        source: _metrics(fruit.of_source(source)) for source in np.unique(fruit.sources).tolist()
    }
    return {
        "split": split,
        **_metrics(fruit),
        "worst_groups": _worst_groups(fruit),
        "mean_of_sources": {name: _mean(by_source, name) for name in _AVERAGED},
        "by_source": dict(sorted(by_source.items(), key=_accuracy_of_source)),
    }


def counts_once(sample: Sample, first_files: Collection[Path]) -> bool:
    """Whether a sample is a boxed fruit, or the file of its photograph that is in `first_files`."""
    return bool(sample.target) and (sample.box is not None or sample.copies[0] in first_files)


def rejection_metrics(
    fruit: GradedFruit, samples: Sequence[Sample], predictions: OutOfFold
) -> dict[str, Any]:
    """`ood_metrics` of `fruit` against the out-of-distribution ones among `samples` [n]."""
    return ood_metrics(
        OodMargins(fruit.predictions.margins, fruit.groups.tolist()),
        fruit.sources.tolist(),
        margins_of(samples, predictions, NEAR),
        margins_of(samples, predictions, FAR),
        predictions.synthetic,
    )


def _metrics(fruit: GradedFruit) -> dict[str, Any]:
    """None for metrics without a sample."""
    has_class, groups = fruit.has_class, fruit.groups
    class_groups = groups[has_class].tolist()
    correct = fruit.correct[has_class]
    names = np.array([fruit.classes[k] for k in fruit.labels[has_class].tolist()], np.str_)
    fruit_of_class = np.array([read_label(name).fruit for name in fruit.classes])
    same_fruit = fruit_of_class[fruit.predicted] == fruit_of_class[fruit.labels]
    edible = np.isin(fruit.levels, [level for level in LEVELS if level != "rotten"])
    is_rotten = np.array([read_label(name).freshness == "rotten" for name in fruit.classes])
    misleading = confidently_wrong(
        fruit.correct, fruit.predictions.probabilities.max(axis=1), fruit.predictions.recognised
    )
    return {
        "fruits": len(groups),
        "photographs": len({sample.copies[0] for sample in fruit.samples}),
        "groups": len(set(groups.tolist())),
        "of_known_class": int(has_class.sum()),
        "correct": int(correct.sum()),
        **share("accuracy", correct, class_groups),
        **share("fruit_accuracy", same_fruit, groups.tolist()),
        **share(
            "edible_not_called_rotten",
            ~is_rotten[fruit.predicted[edible]],
            groups[edible].tolist(),
        ),
        **_calibration(fruit),
        **share("wrong_and_sure", misleading, groups.tolist()),
        "wrong_and_sure_count": int(misleading.sum()),
        **share("known_rejected", ~fruit.predictions.recognised, groups.tolist()),
        "per_class": [
            {
                "class": row.class_name,
                "fruits": row.count,
                **share(
                    "accuracy",
                    correct[names == row.class_name],
                    groups[has_class][names == row.class_name].tolist(),
                ),
            }
            for row in worst_groups(correct, [""] * len(names), names.tolist())
        ],
        "freshness_pairs": freshness_pairs(
            fruit.freshness_scores, fruit.levels, fruit.sources, groups
        ),
    }


def _worst_groups(fruit: GradedFruit) -> list[dict[str, Any]]:
    """Accuracy of every class of every source, the worst first."""
    known = fruit.has_class
    return [
        {
            "source": group.source,
            "class": group.class_name,
            "fruits": group.count,
            "correct": group.correct,
            "accuracy": group.accuracy,
        }
        for group in worst_groups(
            fruit.correct[known],
            fruit.sources[known].tolist(),
            [fruit.classes[k] for k in fruit.labels[known].tolist()],
        )
    ]


def _calibration(fruit: GradedFruit) -> dict[str, Any]:
    """The calibration error of fruit of a known class, with and without temperature."""
    name = "expected_calibration_error"
    known = fruit.has_class
    if not known.any():
        return {name: None, f"{name}_interval_95": None, f"{name}_before_scaling": None}
    probabilities, labels = fruit.predictions.probabilities[known], fruit.labels[known]
    return {
        name: expected_calibration_error(probabilities, labels),
        f"{name}_interval_95": interval(
            lambda rows: expected_calibration_error(probabilities[rows], labels[rows]),
            fruit.groups[known].tolist(),
        ),
        f"{name}_before_scaling": expected_calibration_error(
            fruit.predictions.uncalibrated[known], labels
        ),
    }


def _level(sample: Sample, classes: Sequence[str]) -> str:
    if sample.box is not None:
        return sample.box.level or ""
    name = classes[int(np.argmax(sample.target))]
    return read_label(name).level or ""


def _mean(by_source: dict[str, dict[str, Any]], name: str) -> float | None:
    """The mean over the sources that have the metric."""
    values = [metrics[name] for metrics in by_source.values() if metrics[name] is not None]
    return float(np.mean(values)) if values else None


def _accuracy_of_source(row: tuple[str, dict[str, Any]]) -> float:
    """Accuracy, or fruit accuracy where no class is known."""
    metrics = row[1]
    return float(metrics["fruit_accuracy"] if metrics["accuracy"] is None else metrics["accuracy"])
