"""Do new labels fit? How new photographs are graded by a grader that has not seen them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from api.registry.comparison import Fit
from api.retrain.material import Material
from api.training.leaveout import left_out_classes


def fits(
    material: Material, known_classes: Sequence[str], answers: Mapping[str, str]
) -> tuple[dict[str, Fit], dict[str, Fit]]:
    """The fit of each new class, and of the new labels of each known one.

    `material` is embedded by the champion's network, which no new label has touched; `answers` are
    the candidate's for test photographs, by SHA-256. Of known classes only uploads count:
    corrections were chosen because graders get them wrong.
    """
    names = material.names
    new_class = ~np.isin(names, list(known_classes))
    wanted = new_class | (material.fresh & ~material.chosen)
    if not wanted.any():
        return {}, {}
    rows = material.rows
    graded = np.full(len(names), "", dtype=names.dtype)
    found = left_out_classes(rows.embeddings, material.labels, rows.photographs, wanted)
    graded[wanted] = np.array(material.classes)[found]
    # Each photograph once.
    once = np.zeros(len(names), bool)
    once[np.unique(rows.photographs, return_index=True)[1]] = True

    def fit(name: str) -> Fit:
        own = wanted & once & (names == name)
        held_out = [
            answers[sha256]
            for sha256 in rows.sha256[own & (rows.splits == "test")].tolist()
            if sha256 in answers
        ]
        return Fit(
            left_out=int(own.sum()),
            left_out_right=int((graded[own] == name).sum()),
            held_out=len(held_out),
            held_out_right=held_out.count(name),
        )

    return _each(fit, names[new_class]), _each(fit, names[wanted & ~new_class])


def _each(fit: Callable[[str], Fit], names: NDArray[np.str_]) -> dict[str, Fit]:
    return {name: fit(name) for name in np.unique(names).tolist()}
