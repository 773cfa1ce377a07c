"""Metrics of found boxes: average precision, recall by size, right number of fruits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import FloatArray
from api.core.boxes import areas, overlaps

MIN_OVERLAP = 0.5
# Sides of a fruit, as the square root of its share of the picture's area.
SIZES = {"small": (0.0, 0.15), "medium": (0.15, 0.35), "large": (0.35, 1.01)}


@dataclass(frozen=True)
class FoundBoxes:
    """What was found in one photo and what is there, in shares of its width and height.

    `boxes` float32 [n, 4] with `scores` [n] and `fruits` [n], best first; `true_boxes` [m, 4] with
    `true_fruits` [m], negative where only the place is known. Unless `complete`, there may be more
    fruit than that.
    """

    boxes: FloatArray
    scores: FloatArray
    fruits: NDArray[np.int64]
    true_boxes: FloatArray
    true_fruits: NDArray[np.int64]
    complete: bool = True


def match(boxes: FloatArray, true_boxes: FloatArray) -> NDArray[np.int64]:
    """The row of `true_boxes` that each of `boxes`, best first, finds: int64 [n], -1 for none.

    Each true box is found once, by the best box that overlaps it most, by at least MIN_OVERLAP.
    """
    found = np.full(len(boxes), -1, np.int64)
    pairs = overlaps(boxes, true_boxes)
    for row in range(len(boxes)):
        if pairs.shape[1] and pairs[row].max() >= MIN_OVERLAP:
            best = int(pairs[row].argmax())
            found[row] = best
            pairs[:, best] = -1
    return found


def average_precision(scores: FloatArray, right: NDArray[np.bool_], total: int) -> float:
    """The area under precision over recall, precision made monotonic (as in Pascal VOC since 2010).

    `scores` [n] of all boxes of all photos, whether each is `right`, and how many there are to
    find; NaN where that is 0.
    """
    if total == 0:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    recall = np.concatenate([[0], hits / total])
    precision = hits / np.arange(1, len(order) + 1)
    highest_after = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * highest_after).sum())


def average_precisions(photos: Sequence[FoundBoxes], fruits: Sequence[str]) -> dict[str, float]:
    """Average precision of each fruit that is there; a box named as another fruit is no match.

    A box around a fruit whose kind is not known counts neither way.
    """
    result = {}
    for kind, name in enumerate(fruits):
        scores, right, total = [], [], 0
        for photo in photos:
            unnamed = photo.true_boxes[photo.true_fruits < 0]
            rows = (photo.fruits == kind) & (match(photo.boxes, unnamed) < 0)
            true_rows = photo.true_fruits == kind
            total += int(true_rows.sum())
            scores.append(photo.scores[rows])
            right.append(match(photo.boxes[rows], photo.true_boxes[true_rows]) >= 0)
        if total:
            result[name] = average_precision(np.concatenate(scores), np.concatenate(right), total)
    return result


def detection_metrics(
    photos: Sequence[FoundBoxes], fruits: Sequence[str], threshold: float
) -> dict[str, Any]:
    """JSON-ready metrics. `photos` have boxes with any score, for average precision; the other
    metrics count those with at least `threshold`.

    Precision, average precision and `right_number` only count photos that are complete.
    """
    complete = [photo for photo in photos if photo.complete]
    kept = [at_threshold(photo, threshold) for photo in photos]
    matches = [match(photo.boxes, photo.true_boxes) for photo in kept]
    found = [np.isin(np.arange(len(p.true_boxes)), m) for p, m in zip(kept, matches, strict=True)]
    all_found = np.concatenate([np.zeros(0, bool), *found])
    sides = np.sqrt(np.concatenate([areas(photo.true_boxes) for photo in photos]))
    right_fruit = [right_fruits(photo, m) for photo, m in zip(kept, matches, strict=True)]
    precise = [m >= 0 for photo, m in zip(kept, matches, strict=True) if photo.complete]
    counts = [len(p.boxes) == len(p.true_boxes) for p in kept if p.complete]
    by_fruit = average_precisions(complete, fruits)
    return {
        "photographs": len(photos),
        "fruits": len(all_found),
        "average_precision": _mean(list(by_fruit.values())),
        "average_precision_by_fruit": by_fruit,
        "recall": _mean(all_found),
        "recall_by_size": {
            name: {
                "fruits": int(((sides >= low) & (sides < high)).sum()),
                "recall": _mean(all_found[(sides >= low) & (sides < high)]),
            }
            for name, (low, high) in SIZES.items()
        },
        "precision": _mean(np.concatenate([np.zeros(0, bool), *precise])),
        "right_fruit_of_found": _mean(np.concatenate([np.zeros(0, bool), *right_fruit])),
        "right_number": _mean(counts),
    }


def right_fruits(photo: FoundBoxes, matches: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each box that finds a fruit of a known kind names it: bool [k]."""
    rows = np.flatnonzero(matches >= 0)
    true = photo.true_fruits[matches[rows]]
    named: NDArray[np.bool_] = (photo.fruits[rows] == true)[true >= 0]
    return named


def at_threshold(photo: FoundBoxes, threshold: float) -> FoundBoxes:
    """The photo with only the boxes that have at least that score."""
    rows = photo.scores >= threshold
    return FoundBoxes(
        photo.boxes[rows],
        photo.scores[rows],
        photo.fruits[rows],
        photo.true_boxes,
        photo.true_fruits,
        photo.complete,
    )


def _mean(values: Sequence[float] | NDArray[np.bool_]) -> float | None:
    return float(np.mean(values)) if len(values) else None
