"""Figures on rejection: how much known fruit is refused, how much other produce and other things.

Other produce (near) is the hard half, other things (far) the easy one; they are told apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.layout import NEAR
from api.core.metrics import interval, pairs_ordered, recognition_threshold, share


@dataclass(frozen=True)
class Margins:
    """Out-of-distribution scores less their threshold, float32 [n]: over 0 is not recognised.

    `groups` [n] are those that stand or fall together: photographs, runs, or kinds.
    """

    values: NDArray[np.float32]
    groups: Sequence[str]


def rejection_figures(
    known: Margins,
    sources: Sequence[str],
    near: Margins,
    far: Margins,
    drawn: Mapping[str, NDArray[np.float32]],
) -> dict[str, Any]:
    """By known fruit from its `sources` [n], near misses, other things and drawn pictures.

    JSON-ready. `auroc` tells far from known and `near_auroc` near from known, at whatever
    threshold. What ends in `_at_98` has the threshold moved to where of every source 98 % of the
    known fruit is recognised. None for what there is none of.

    Raises ValueError without known fruit.
    """
    threshold = recognition_threshold(known.values, sources)
    return {
        "known_files": len(known.values),
        **share("known_rejected", known.values > 0, known.groups),
        "known_rejected_by_source": _by_name(known.values > 0, sources),
        "other_files": len(far.values),
        **share("others_rejected", far.values > 0, far.groups),
        **share("others_rejected_at_98", far.values > threshold, far.groups),
        **_auroc("auroc", known, far),
        "near_files": len(near.values),
        "near_kinds": len(set(near.groups)),
        **share("near_rejected", near.values > 0, near.groups),
        **share("near_rejected_at_98", near.values > threshold, near.groups),
        **_auroc("near_auroc", known, near),
        "near_by_kind": _by_kind(near, threshold),
        "drawn_rejected": {kind: float((found > 0).mean()) for kind, found in drawn.items()},
    }


def _auroc(name: str, known: Margins, strange: Margins) -> dict[str, Any]:
    """How well the score tells `strange` from `known`, with its interval over groups."""
    scores = np.concatenate([strange.values, known.values])
    is_strange = np.repeat([True, False], [len(strange.values), len(known.values)])
    groups = [*(f"strange {k}" for k in strange.groups), *(f"known {k}" for k in known.groups)]

    def auroc(rows: NDArray[np.int64]) -> float:
        return pairs_ordered(scores[rows[is_strange[rows]]], scores[rows[~is_strange[rows]]])

    found = auroc(np.arange(len(scores)))
    if np.isnan(found):
        return {name: None, f"{name}_interval_95": None}
    return {name: found, f"{name}_interval_95": interval(auroc, groups)}


def _by_kind(near: Margins, threshold: float) -> list[dict[str, Any]]:
    """Each kind of other produce, the one that is refused least first."""
    groups = np.asarray(near.groups)
    rows = [
        {
            "kind": str(group).removeprefix(NEAR),
            "files": int((groups == group).sum()),
            "rejected": float((near.values[groups == group] > 0).mean()),
            "rejected_at_98": float((near.values[groups == group] > threshold).mean()),
        }
        for group in np.unique(groups)
    ]
    return sorted(rows, key=lambda row: (row["rejected_at_98"], row["rejected"]))


def _by_name(rejected: NDArray[np.bool_], names: Sequence[str]) -> dict[str, float]:
    found = np.asarray(names)
    return {str(name): float(rejected[found == name].mean()) for name in np.unique(found)}
