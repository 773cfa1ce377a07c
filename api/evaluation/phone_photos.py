"""Figures on boxed phone photographs: which fruit it is, and how fresh it looks."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from api.core.labels import LEVELS, fruits_of, read_label
from api.core.metrics import interval, mean_interval, pairs_ordered, share
from api.training.bounding_boxes import Box


def phone_figures(
    boxes: Sequence[Box],
    probabilities: NDArray[np.float32],
    margins: NDArray[np.float32],
    classes: Sequence[str],
) -> dict[str, Any]:
    """Boxed fruits of runs that were not seen: which fruit, and is edible fruit called rotten?

    `probabilities` [n, classes] and `margins` [n], over 0 where not recognised. Every box has a
    level. Intervals are drawn over frames, whose fruits share light and background.
    """
    read = [read_label(name) for name in classes]
    predicted = probabilities.argmax(axis=1)
    right = np.array(
        [box.fruit in fruits_of(classes[k]) for k, box in zip(predicted, boxes, strict=True)]
    )
    called_fresh = np.array([read[k].freshness != "rotten" for k in predicted])
    score = probabilities[:, [label.freshness == "fresh" for label in read]].sum(axis=1)
    levels = np.array([box.level for box in boxes])
    edible = levels != "rotten"
    frames = np.array([str(box.path) for box in boxes])
    runs = np.array([box.run for box in boxes])

    def headline(rows: NDArray[np.bool_]) -> dict[str, Any]:
        eaten = edible & rows
        return {
            "boxes": int(rows.sum()),
            **share("fruit_accuracy", right[rows], frames[rows].tolist()),
            **share("edible_not_called_rotten", called_fresh[eaten], frames[eaten].tolist()),
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
    """Does the freshness score [n], 0 to 1, fall with the three `levels` [n] of decay?

    By level the mean score; `fresher_scores_higher` says, of neighbouring levels, how often the
    fresher of two fruits scores higher (0.5 is chance; Jonckheere's test adds these up);
    `spearman` is the rank correlation over all levels, -1 to 1, None where there is but one.
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
            f"{fresher} over {staler}": pairs_ordered(
                score[levels == fresher], score[levels == staler]
            )
            for fresher, staler in pairwise(present)
        },
        "spearman": None if np.isnan(spearman) else spearman,
        "spearman_interval_95": interval(correlation, frames),
    }
