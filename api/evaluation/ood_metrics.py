"""OOD detection metrics: rejection of known fruit, near-OOD (other produce) and far-OOD images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.layout import NEAR
from api.core.metrics import auroc, interval, recognition_threshold, share


@dataclass(frozen=True)
class OodMargins:
    """OOD scores minus the grader's threshold, float32 [n]: above 0 is rejected.

    `groups` [n] are the units of the bootstrap: photographs, runs, kinds or files.
    """

    values: NDArray[np.float32]
    groups: Sequence[str]


def ood_metrics(
    known: OodMargins,
    sources: Sequence[str],
    near: OodMargins,
    far: OodMargins,
    synthetic: Mapping[str, NDArray[np.float32]],
) -> dict[str, Any]:
    """Rejection rates and AUROC; JSON-ready, None for an empty set.

    `sources` [n] are those of the known fruit; `synthetic` has margins [any] by kind of image.
    `auroc` is far-OOD against known fruit, `near_auroc` near-OOD. Keys that end in `_at_98` are at
    the threshold that recognises 98 % of every source. Raises ValueError without known fruit.
    """
    threshold = recognition_threshold(known.values, sources)
    source = np.asarray(sources)
    return {
        "known_files": len(known.values),
        **share("known_rejected", known.values > 0, known.groups),
        "known_rejected_by_source": {
            str(name): float((known.values[source == name] > 0).mean())
            for name in np.unique(source)
        },
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
        "drawn_rejected": {kind: float((values > 0).mean()) for kind, values in synthetic.items()},
    }


def _auroc(name: str, known: OodMargins, ood: OodMargins) -> dict[str, Any]:
    """AUROC of OOD against known, with its interval over groups."""
    scores = np.concatenate([ood.values, known.values])
    is_ood = np.repeat([True, False], [len(ood.values), len(known.values)])
    groups = [*(f"ood {k}" for k in ood.groups), *(f"known {k}" for k in known.groups)]

    def of_rows(rows: NDArray[np.int64]) -> float:
        return auroc(scores[rows[is_ood[rows]]], scores[rows[~is_ood[rows]]])

    value = of_rows(np.arange(len(scores)))
    if np.isnan(value):
        return {name: None, f"{name}_interval_95": None}
    return {name: value, f"{name}_interval_95": interval(of_rows, groups)}


def _by_kind(near: OodMargins, threshold: float) -> list[dict[str, Any]]:
    """Each kind of other produce, the least rejected first."""
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
