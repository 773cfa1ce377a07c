"""Figures on fruit of several sources: of all together, and of each source; JSON-ready."""

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
from api.core.metrics import interval, pairs_ordered, share, worst_groups, wrong_and_sure
from api.evaluation.out_of_fold import OutOfFold, margins_of
from api.evaluation.rejection import Margins, rejection_figures
from api.training.samples import Sample, targets

# Of which levels the freshness score is compared: the fresher first.
PAIRS = (("fresh", "rotten"), ("fresh", "past_best"), ("past_best", "rotten"))
# What is averaged over the sources, each with the same say.
_AVERAGED = (
    "accuracy",
    "fruit_accuracy",
    "edible_not_called_rotten",
    "expected_calibration_error",
    "wrong_and_sure",
    "known_rejected",
)


@dataclass(frozen=True)
class Graded:
    """Fruit of the classes, n samples with a target, and what was said of it.

    A sample whose level is not known counts for its fruit alone: it is not among `classed`.
    """

    samples: Sequence[Sample]
    found: OutOfFold
    classes: Sequence[str]

    @cached_property
    def shares(self) -> NDArray[np.float32]:
        """The targets, float32 [n, classes]."""
        return targets(self.samples).reshape(len(self.samples), len(self.classes))

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The class of each sample, int64 [n]; of several that it may be, the first."""
        labels: NDArray[np.int64] = self.shares.argmax(axis=1)
        return labels

    @cached_property
    def classed(self) -> NDArray[np.bool_]:
        """Whose class is known: bool [n]."""
        known: NDArray[np.bool_] = (self.shares > 0).sum(axis=1) == 1
        return known

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        predicted: NDArray[np.int64] = self.found.probabilities.argmax(axis=1)
        return predicted

    @cached_property
    def possible(self) -> NDArray[np.bool_]:
        """Whether the answer may be right by all that is known of the sample: bool [n]."""
        possible: NDArray[np.bool_] = self.shares[np.arange(len(self.samples)), self.predicted] > 0
        return possible

    @cached_property
    def sources(self) -> NDArray[np.str_]:
        return np.array([sample.source for sample in self.samples], dtype=np.str_)

    @cached_property
    def groups(self) -> NDArray[np.str_]:
        return np.array([sample.group for sample in self.samples], dtype=np.str_)

    @cached_property
    def levels(self) -> NDArray[np.str_]:
        """How fresh each is, one of LEVELS; empty where that is not known."""
        return np.array([_level(sample, self.classes) for sample in self.samples], dtype=np.str_)

    @cached_property
    def freshness_scores(self) -> NDArray[np.float32]:
        """How probably each is not rotten: float32 [n]."""
        fresh = [read_label(name).freshness == "fresh" for name in self.classes]
        score: NDArray[np.float32] = self.found.probabilities[:, fresh].sum(axis=1)
        return score

    @classmethod
    def among(
        cls,
        samples: Sequence[Sample],
        found: OutOfFold,
        classes: Sequence[str],
        wanted: NDArray[np.bool_],
    ) -> "Graded":
        """Those of `samples` [n] that are `wanted` [n], with what was `found` [n] of them."""
        chosen = [sample for sample, own in zip(samples, wanted.tolist(), strict=True) if own]
        return cls(chosen, found.rows(wanted), classes)

    def of_source(self, source: str) -> "Graded":
        return Graded.among(self.samples, self.found, self.classes, self.sources == source)


def source_figures(split: str, graded: Graded) -> dict[str, Any]:
    """Everything on `graded`, which `split` describes in words: all fruit together, where a source
    weighs by its photographs, the plain mean of the sources, and each source, the worst first."""
    by_source = {
        source: _figures(graded.of_source(source)) for source in np.unique(graded.sources).tolist()
    }
    return {
        "split": split,
        **_figures(graded),
        "worst_groups": _worst_groups(graded),
        "mean_of_sources": {name: _mean(by_source, name) for name in _AVERAGED},
        "by_source": dict(sorted(by_source.items(), key=_worst_first)),
    }


def counts_once(sample: Sample, first: Collection[Path]) -> bool:
    """Whether a sample is a boxed fruit, or of a photograph's files the one among `first`."""
    return bool(sample.target) and (sample.box is not None or sample.copies[0] in first)


def rejection_of(graded: Graded, samples: Sequence[Sample], found: OutOfFold) -> dict[str, Any]:
    """How much of the `graded` fruit is refused, and how much of the near misses and other things
    among `samples` [n], with what was `found` [n] of them and of drawn pictures."""
    return rejection_figures(
        Margins(graded.found.margins, graded.groups.tolist()),
        graded.sources.tolist(),
        margins_of(samples, found, NEAR),
        margins_of(samples, found, FAR),
        found.drawn,
    )


def _figures(graded: Graded) -> dict[str, Any]:
    """JSON-ready; None for what the fruit says nothing of."""
    classed, groups = graded.classed, graded.groups
    own = groups[classed].tolist()
    correct = graded.possible[classed]
    names = [graded.classes[k] for k in graded.labels[classed].tolist()]
    fruits = np.array([read_label(name).fruit for name in graded.classes])
    same_fruit = fruits[graded.predicted] == fruits[graded.labels]
    edible = np.isin(graded.levels, [level for level in LEVELS if level != "rotten"])
    called_rotten = np.array([read_label(name).freshness == "rotten" for name in graded.classes])
    misleading = wrong_and_sure(
        graded.possible, graded.found.probabilities.max(axis=1), graded.found.recognised
    )
    return {
        "fruits": len(groups),
        "photographs": len({sample.copies[0] for sample in graded.samples}),
        "groups": len(set(groups.tolist())),
        "of_known_class": int(classed.sum()),
        "correct": int(correct.sum()),
        **share("accuracy", correct, own),
        **share("fruit_accuracy", same_fruit, groups.tolist()),
        **share(
            "edible_not_called_rotten",
            ~called_rotten[graded.predicted[edible]],
            groups[edible].tolist(),
        ),
        **_calibration(graded),
        **share("wrong_and_sure", misleading, groups.tolist()),
        "wrong_and_sure_count": int(misleading.sum()),
        **share("known_rejected", ~graded.found.recognised, groups.tolist()),
        "per_class": [
            {
                "class": group.class_name,
                "fruits": group.count,
                **share(
                    "accuracy",
                    correct[np.array(names) == group.class_name],
                    [k for k, name in zip(own, names, strict=True) if name == group.class_name],
                ),
            }
            for group in worst_groups(correct, [""] * len(names), names)
        ],
        "freshness_pairs": freshness_pairs(
            graded.freshness_scores, graded.levels, graded.sources, groups
        ),
    }


def _worst_groups(graded: Graded) -> list[dict[str, Any]]:
    """Every class of every source, the worst first."""
    own = graded.classed
    return [
        {
            "source": group.source,
            "class": group.class_name,
            "fruits": group.count,
            "correct": group.correct,
            "accuracy": group.accuracy,
        }
        for group in worst_groups(
            graded.possible[own],
            graded.sources[own].tolist(),
            [graded.classes[k] for k in graded.labels[own].tolist()],
        )
    ]


def _calibration(graded: Graded) -> dict[str, Any]:
    """The calibration error of fruit of a known class, and that before scaling."""
    name = "expected_calibration_error"
    own = graded.classed
    if not own.any():
        return {name: None, f"{name}_interval_95": None, f"{name}_before_scaling": None}
    found, labels = graded.found.probabilities[own], graded.labels[own]
    return {
        name: expected_calibration_error(found, labels),
        f"{name}_interval_95": interval(
            lambda rows: expected_calibration_error(found[rows], labels[rows]),
            graded.groups[own].tolist(),
        ),
        f"{name}_before_scaling": expected_calibration_error(
            graded.found.uncalibrated[own], labels
        ),
    }


def freshness_pairs(
    scores: NDArray[np.float32],
    levels: NDArray[np.str_],
    sources: NDArray[np.str_],
    groups: NDArray[np.str_],
) -> dict[str, dict[str, Any]]:
    """Of each of PAIRS that a source has both of: how often the fresher fruit scores higher.

    `scores` [n], 0 to 1, with `levels` [n], `sources` [n] and `groups` [n]. Only fruits of one
    source are compared, so that no source's light counts as freshness. `told_apart` is whether the
    95 % interval of the share `ordered` lies over chance, 0.5.
    """
    found = {}
    for fresher, staler in PAIRS:
        above, below = levels == fresher, levels == staler
        both = [s for s in np.unique(sources) if (sources[above] == s).any()]
        both = [s for s in both if (sources[below] == s).any()]
        rows = np.flatnonzero((above | below) & np.isin(sources, both))
        if not both:
            continue

        def ordered(
            drawn: NDArray[np.int64],
            rows: NDArray[np.int64] = rows,
            above: NDArray[np.bool_] = above,
        ) -> float:
            return _within_sources(scores, sources, above, rows[drawn])

        bounds = interval(ordered, groups[rows].tolist())
        found[f"{fresher} over {staler}"] = {
            "ordered": ordered(np.arange(len(rows))),
            "ordered_interval_95": bounds,
            "fresher": int(above[rows].sum()),
            "staler": int(below[rows].sum()),
            "sources": [str(source) for source in both],
            "told_apart": bounds is not None and bounds[0] > 0.5,
        }
    return found


def _within_sources(
    scores: NDArray[np.float32],
    sources: NDArray[np.str_],
    above: NDArray[np.bool_],
    rows: NDArray[np.int64],
) -> float:
    """`pairs_ordered` over the pairs within each source; NaN without a pair."""
    ordered = pairs = 0.0
    for source in np.unique(sources[rows]):
        own = rows[sources[rows] == source]
        fresher, staler = own[above[own]], own[~above[own]]
        count = len(fresher) * len(staler)
        if count:
            ordered += count * pairs_ordered(scores[fresher], scores[staler])
            pairs += count
    return ordered / pairs if pairs else float("nan")


def _level(sample: Sample, classes: Sequence[str]) -> str:
    if sample.box is not None:
        return sample.box.level or ""
    name = classes[int(np.argmax(sample.target))]
    return read_label(name).level or ""


def _mean(by_source: dict[str, dict[str, Any]], name: str) -> float | None:
    """The mean over the sources that have the figure."""
    values = [found[name] for found in by_source.values() if found[name] is not None]
    return float(np.mean(values)) if values else None


def _worst_first(row: tuple[str, dict[str, Any]]) -> float:
    """A source of which only the fruit is known stands by how often that is right."""
    found = row[1]
    return float(found["fruit_accuracy"] if found["accuracy"] is None else found["accuracy"])
