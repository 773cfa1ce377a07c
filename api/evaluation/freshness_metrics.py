"""Freshness metrics: does the freshness score order fruit by level, and is edible fruit kept?"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from api.core.labels import LEVELS, fruits_of, read_label
from api.core.metrics import auroc, interval, mean_interval, share
from api.training.bounding_boxes import Box

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
        both = [s for s in np.unique(sources) if (sources[above] == s).any()]
        both = [s for s in both if (sources[below] == s).any()]
        rows = np.flatnonzero((above | below) & np.isin(sources, both))
        if not both:
            continue

        def ordered(
            resampled: NDArray[np.int64],
            rows: NDArray[np.int64] = rows,
            above: NDArray[np.bool_] = above,
        ) -> float:
            return _auroc_within_sources(scores, sources, above, rows[resampled])

        bounds = interval(ordered, groups[rows].tolist())
        results[f"{fresher} over {staler}"] = {
            "ordered": ordered(np.arange(len(rows))),
            "ordered_interval_95": bounds,
            "fresher": int(above[rows].sum()),
            "staler": int(below[rows].sum()),
            "sources": [str(source) for source in both],
            "told_apart": bounds is not None and bounds[0] > 0.5,
        }
    return results


def _auroc_within_sources(
    scores: NDArray[np.float32],
    sources: NDArray[np.str_],
    above: NDArray[np.bool_],
    rows: NDArray[np.int64],
) -> float:
    """AUROC over all pairs within a source; NaN without a pair."""
    ordered = pairs = 0.0
    for source in np.unique(sources[rows]):
        own = rows[sources[rows] == source]
        fresher, staler = own[above[own]], own[~above[own]]
        count = len(fresher) * len(staler)
        if count:
            ordered += count * auroc(scores[fresher], scores[staler])
            pairs += count
    return ordered / pairs if pairs else float("nan")


def phone_metrics(
    boxes: Sequence[Box],
    probabilities: NDArray[np.float32],
    margins: NDArray[np.float32],
    classes: Sequence[str],
) -> dict[str, Any]:
    """Metrics on boxed phone photos of held-out runs, all with a known level; JSON-ready.

    `probabilities` [n, classes]; `margins` [n], above 0 if rejected. Intervals are over frames,
    whose fruits share light and background.
    """
    labels = [read_label(name) for name in classes]
    predicted = probabilities.argmax(axis=1)
    correct = np.array(
        [box.fruit in fruits_of(classes[k]) for k, box in zip(predicted, boxes, strict=True)]
    )
    called_edible = np.array([labels[k].freshness != "rotten" for k in predicted])
    score = probabilities[:, [label.freshness == "fresh" for label in labels]].sum(axis=1)
    levels = np.array([box.level for box in boxes])
    edible = levels != "rotten"
    frames = np.array([str(box.path) for box in boxes])
    runs = np.array([box.run for box in boxes])

    def headline(rows: NDArray[np.bool_]) -> dict[str, Any]:
        edible_rows = edible & rows
        return {
            "boxes": int(rows.sum()),
            **share("fruit_accuracy", correct[rows], frames[rows].tolist()),
            **share(
                "edible_not_called_rotten",
                called_edible[edible_rows],
                frames[edible_rows].tolist(),
            ),
        }

    return {
        "split": "runs of the phone photographs held out; boxed fruits",
        "frames": len(set(frames)),
        **headline(np.ones(len(boxes), bool)),
        **share("known_rejected", margins > 0, frames.tolist()),
        "freshness_order": freshness_order(levels, score, frames.tolist()),
        "by_run": {str(run): headline(runs == run) for run in np.unique(runs)},
    }


def freshness_order(
    levels: NDArray[np.str_], score: NDArray[np.float32], frames: Sequence[str]
) -> dict[str, Any]:
    """Order of the freshness scores [n], 0 to 1, over the three `levels` [n].

    `mean_score` by level; `fresher_scores_higher`, the AUROC of neighbouring levels (the terms of
    Jonckheere's test); `spearman`, the rank correlation, None if there is one level.
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
