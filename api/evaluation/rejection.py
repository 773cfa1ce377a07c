"""Figures on rejection: how many known photographs are turned away, and how many strangers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from api.evaluation.bootstrap import interval
from api.evaluation.evaluate import share


def rejection_figures(
    known: NDArray[np.float32],
    photographs: Sequence[str],
    others: NDArray[np.float32],
    other_names: Sequence[str],
    drawn: Mapping[str, NDArray[np.float32]],
) -> dict[str, Any]:
    """Distances over the threshold's, so that above 1 is not recognised; JSON-ready.

    `known` [n] of files with their `photographs`, `others` [m] of photographs of other things with
    `other_names`, both of which intervals are drawn over; `drawn` [any] of pictures that show
    nothing, by kind. `auroc` tells others from known, at whatever threshold; None without others.
    """
    distances = np.concatenate([known, others])
    truth = np.repeat([False, True], [len(known), len(others)])
    groups = [
        *(f"known {name}" for name in photographs),
        *(f"other {name}" for name in other_names),
    ]

    def auroc(rows: NDArray[np.int64]) -> float:
        strange = truth[rows]
        if strange.all() or not strange.any():
            return float("nan")
        return float(roc_auc_score(strange, distances[rows]))

    return {
        "known_files": len(known),
        **share("known_rejected", known > 1, photographs),
        "other_files": len(set(other_names)),
        **share("others_rejected", others > 1, other_names),
        "auroc": auroc(np.arange(len(truth))) if len(others) else None,
        "auroc_interval_95": interval(auroc, groups) if len(others) else None,
        "drawn_rejected": {kind: float((found > 1).mean()) for kind, found in drawn.items()},
    }
