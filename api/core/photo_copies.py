"""Decides whether two files show one photograph, for uploads, imports, feedback and review.

Signatures propose (`imaging.signature_match`), and pixels or embeddings of the object decide. A
copy is the photograph saved again, resized, brightened, mirrored, turned by right angles or cropped
by up to a tenth; two photographs of one fruit are not copies. The bounds were chosen on real
photographs (docs/log/data.md, 2026-11-28).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import FloatArray
from api.core.imaging.alignment import (
    CROPPED,
    TURNED,
    coarse_align,
    rotation,
    worst_differences,
)

# Difference allowed in the block where two photos differ most: this many times the mean, since no
# part of a copy stands out, within these limits. Copies have up to 0.35 (0.55 where brightening
# clipped the highlights), real fruits on one tray at least 0.7.
MIN_DIFFERENCE, MAX_DIFFERENCE, TIMES_MEAN = 0.25, 0.5, 4.0
# After a coarse alignment; copies have at least 0.9. The best MAX_ALIGNED are aligned finely.
MIN_CORRELATION = 0.9
MAX_ALIGNED = 3
# Where pixels are not stored: agreement of edges, and difference of colours in grey levels. Each
# limit is relaxed by this much per unit of cosine above MIN_COSINE.
MIN_AGREEMENT, LESS_AGREEMENT = 0.8, 2.0
MAX_COLOUR_DIFFERENCE, MORE_COLOUR_DIFFERENCE = 2.5, 100.0
# Cosine of centred embeddings. 97 % of fruits on one tray have less than 0.9.
MIN_COSINE = 0.93


def first_copy(views: NDArray[np.uint8], others: NDArray[np.uint8]) -> int | None:
    """The index of the pair uint8 [k, 64, 64, 3] that shows one photograph; None if none does."""
    if not len(views):
        return None
    start = np.zeros((len(views), 6), np.float32)
    maps, correlation = coarse_align(views, others, start)
    order = np.argsort(-correlation, kind="stable")[:MAX_ALIGNED]
    return _most_alike(views, others, maps, order[correlation[order] >= MIN_CORRELATION])


def first_same_scene(photo: NDArray[np.uint8], others: NDArray[np.uint8]) -> int | None:
    """The index of the one of `others` uint8 [k, 64, 64, 3] that seems to show the same things from
    the same side as `photo` uint8 [64, 64, 3]; None if none does.

    Only a proposal: it finds 71 % of neighbouring frames of the same fruits, and 0.1 % of frames of
    other fruits on the same table (docs/log/inspections.md).
    """
    if not len(others):
        return None
    start = np.zeros((len(others), 6), np.float32)
    _, correlation = coarse_align(np.broadcast_to(photo, others.shape), others, start)
    best = int(correlation.argmax())
    return best if correlation[best] >= MIN_CORRELATION else None


def is_turned_copy(photo: NDArray[np.uint8], other: NDArray[np.uint8], degrees: float) -> bool:
    """Whether `photo` is `other` turned by about `degrees`, in either direction.

    Both are uint8 [64, 64, 3].
    """
    start = np.stack([rotation(degrees), rotation(-degrees)])
    photos, others = np.stack([photo, photo]), np.stack([other, other])
    maps, _ = coarse_align(photos, others, start, TURNED)
    return bool(_is_equal(*worst_differences(photos, others, maps, TURNED)).any())


def is_alike(agreement: FloatArray, difference: FloatArray, cosine: Any = MIN_COSINE) -> Any:
    """Whether signatures, by `best_windows`, and embeddings are of one photograph: bool [k].

    `cosine` float32 [k] is of centred embeddings. It is left out where no model is loaded; then the
    signatures alone decide.
    """
    surplus = cosine - MIN_COSINE
    agrees = agreement >= MIN_AGREEMENT - LESS_AGREEMENT * surplus
    equals = difference <= MAX_COLOUR_DIFFERENCE + MORE_COLOUR_DIFFERENCE * surplus
    return agrees & equals & (surplus >= 0)


def _most_alike(
    views: NDArray[np.uint8],
    others: NDArray[np.uint8],
    maps: FloatArray,
    chosen: NDArray[np.int64],
) -> int | None:
    if not len(chosen):
        return None
    worst, mean = worst_differences(views[chosen], others[chosen], maps[chosen], CROPPED)
    equal = np.flatnonzero(_is_equal(worst, mean))
    return int(chosen[equal[worst[equal].argmin()]]) if len(equal) else None


def _is_equal(worst: FloatArray, mean: FloatArray) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = worst <= np.clip(TIMES_MEAN * mean, MIN_DIFFERENCE, MAX_DIFFERENCE)
    return equal
