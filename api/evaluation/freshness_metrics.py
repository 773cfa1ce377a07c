"""Freshness metrics: does the freshness score order fruit by level, and is edible fruit kept?"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from api.core.labels import LEVELS
from api.core.metrics import auroc, interval, mean_interval, share
from api.evaluation.graded import GradedSamples

# Levels that are compared, the fresher first.
PAIRS = (("fresh", "rotten"), ("fresh", "past_best"), ("past_best", "rotten"))


def freshness_pairs(
    scores: NDArray[np.float32],
    levels: NDArray[np.str_],
    sources: NDArray[np.str_],
    groups: NDArray[np.str_],
) -> dict[str, dict[str, Any]]:
    """For each of PAIRS: how often the fresher of two fruits of one source scores higher.

    `scores` [n], 0 to 1, with `levels`, `sources` and `groups` [n]. Only sources that have both
    levels count, and only fruits of one source are compared, so that a source's light does not
    count as freshness. `told_apart`: the 95 % interval of `ordered` is above chance, 0.5.
    """
    results = {}
    for fresher, staler in PAIRS:
        above, below = levels == fresher, levels == staler
        both = np.intersect1d(sources[above], sources[below])
        if len(both):
            rows = (above | below) & np.isin(sources, both)
            results[f"{fresher} over {staler}"] = _compare_levels(
                scores[rows], above[rows], sources[rows], groups[rows]
            )
    return results


def _compare_levels(
    scores: NDArray[np.float32],
    is_fresher: NDArray[np.bool_],
    sources: NDArray[np.str_],
    groups: NDArray[np.str_],
) -> dict[str, Any]:
    """One of the `freshness_pairs`, of fruits [n] of its two levels."""

    def ordered(rows: NDArray[np.int64]) -> float:
        """AUROC over all pairs within a source; NaN without a pair."""
        total = pairs = 0.0
        for source in np.unique(sources[rows]):
            own = rows[sources[rows] == source]
            fresher, staler = scores[own[is_fresher[own]]], scores[own[~is_fresher[own]]]
            count = len(fresher) * len(staler)
            if count:
                total += count * auroc(fresher, staler)
                pairs += count
        return total / pairs if pairs else float("nan")

    bounds = interval(ordered, groups.tolist())
    return {
        "ordered": ordered(np.arange(len(scores))),
        "ordered_interval_95": bounds,
        "fresher": int(is_fresher.sum()),
        "staler": int((~is_fresher).sum()),
        "sources": np.unique(sources).tolist(),
        "told_apart": bounds is not None and bounds[0] > 0.5,
    }


def phone_metrics(phone: GradedSamples) -> dict[str, Any]:
    """Metrics on boxed phone photos of held-out runs, all with a known level; JSON-ready.

    Intervals are over frames, whose fruits share light and background.
    """
    frames = np.array([str(sample.copies[0]) for sample in phone.samples])
    runs = np.array([sample.box.run for sample in phone.samples if sample.box])

    def headline(rows: NDArray[np.bool_]) -> dict[str, Any]:
        edible = phone.edible & rows
        called_edible = phone.called_edible[edible]
        return {
            "boxes": int(rows.sum()),
            **share("fruit_accuracy", phone.same_fruit[rows], frames[rows].tolist()),
            **share("edible_not_called_rotten", called_edible, frames[edible].tolist()),
        }

    return {
        "split": "runs of the phone photographs held out; boxed fruits",
        "frames": len(set(frames)),
        **headline(np.ones(len(phone), bool)),
        **share("known_rejected", ~phone.predictions.recognised, frames.tolist()),
        "freshness_order": freshness_order(phone.levels, phone.freshness_scores, frames.tolist()),
        "by_run": {str(run): headline(runs == run) for run in np.unique(runs)},
    }


def freshness_order(
    levels: NDArray[np.str_], score: NDArray[np.float32], frames: Sequence[str]
) -> dict[str, Any]:
    """Order of the freshness scores [n], 0 to 1, over the three `levels` [n].

    `mean_score` by level; `fresher_scores_higher`, the AUROC of neighbouring levels (the terms of
    Jonckheere's test); `spearman`, the rank correlation, None if there is only one level.
    """
    rank = np.array([LEVELS[::-1].index(level) for level in levels])
    present = [level for level in LEVELS if (levels == level).any()]

    def correlation(rows: NDArray[np.int64]) -> float:
        if not (np.ptp(rank[rows]) and np.ptp(score[rows])):
            return float("nan")
        return float(spearmanr(rank[rows], score[rows]).statistic)

    spearman = correlation(np.arange(len(score)))
    return {
        "mean_score": {level: float(score[levels == level].mean()) for level in present},
        "mean_score_interval_95": {
            level: mean_interval(
                score[levels == level], np.asarray(frames)[levels == level].tolist()
            )
            for level in present
        },
        "fresher_scores_higher": {
            f"{fresher} over {staler}": auroc(score[levels == fresher], score[levels == staler])
            for fresher, staler in pairwise(present)
        },
        "spearman": None if np.isnan(spearman) else spearman,
        "spearman_interval_95": interval(correlation, frames),
    }
