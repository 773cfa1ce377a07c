"""From linear heads to a finished one: calibrated, with its levels, able to say "none of them".

Full training, every fold of the cross-validation and fast retraining end here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from api.dataset.labels import read_label
from api.predict.arrays import sigmoid
from api.predict.head import Freshness, Head, Linear, class_parts
from api.predict.ood import OodDetector
from api.training.calibrate import fit_fresh_from, fit_temperature
from api.training.ood import choose_threshold
from api.training.samples import Sample

# As likely rotten as not.
ROTTEN_BELOW = 0.5
# Levels in `Truth`; LEVELS of the head in this order.
UNKNOWN, ROTTEN, PAST_BEST, FRESH = -1, 0, 1, 2
_NUMBERS = {"rotten": ROTTEN, "past_best": PAST_BEST, "fresh": FRESH, None: UNKNOWN}


@dataclass(frozen=True)
class Truth:
    """What is known of photographs of known fruit: `targets` float32 [n, classes], `levels` int64
    [n] and `sources` [n]."""

    targets: NDArray[np.float32]
    levels: NDArray[np.int64]
    sources: Sequence[str]


@dataclass(frozen=True)
class Logits:
    """What heads say of held-out photographs of known fruit, before calibration.

    `kinds` float32 [n, kinds and perhaps none], `freshness` float32 [n] or None, `ood` float32 [n]
    the score of `OodDetector`.
    """

    kinds: NDArray[np.float32]
    freshness: NDArray[np.float32] | None
    ood: NDArray[np.float32]


def logits_of(
    kinds: Linear,
    freshness: Linear | None,
    ood: OodDetector,
    classes: Sequence[str],
    embeddings: NDArray[np.float32],
) -> Logits:
    """Of embeddings float32 [n, channels]."""
    head = _plain(kinds, freshness, ood, classes)
    return Logits(
        kinds=kinds(embeddings),
        freshness=freshness(embeddings)[:, 0] if freshness else None,
        ood=head.ood_score(embeddings),
    )


def finish_head(
    kinds: Linear,
    freshness: Linear | None,
    ood: OodDetector,
    classes: Sequence[str],
    said: Logits,
    truth: Truth,
) -> Head:
    """The head for `classes` with temperatures, levels and threshold by what it said of others."""
    head = _plain(kinds, freshness, ood, classes)
    known = int(head.kind_of.max()) + 1
    labels = head.kind_of[truth.targets.argmax(axis=1)]
    return Head(
        kinds=kinds,
        temperature=fit_temperature(said.kinds[:, :known], labels),
        kind_of=head.kind_of,
        parts=head.parts,
        freshness=_scaled(freshness, said, truth),
        ood=ood.with_threshold(choose_threshold(said.ood, truth.sources)),
    )


def level_numbers(samples: Sequence[Sample], classes: Sequence[str]) -> NDArray[np.int64]:
    """The level of each sample by its box or else its class; UNKNOWN where that is not known."""
    found = []
    for sample in samples:
        level = sample.box.level if sample.box else None
        if not sample.box and sample.target:
            level = read_label(classes[int(np.argmax(sample.target))]).level
        elif not sample.target and sample.freshness is not None:
            level = "fresh" if sample.freshness else "rotten"
        found.append(_NUMBERS[level])
    return np.array(found, np.int64)


def freshness_of_levels(levels: NDArray[np.int64]) -> NDArray[np.float32]:
    """1 for not rotten, 0 for rotten, NaN for UNKNOWN: float32 [n]."""
    return np.where(levels == UNKNOWN, np.nan, levels > ROTTEN).astype(np.float32)


def _scaled(linear: Linear | None, said: Logits, truth: Truth) -> Freshness | None:
    if linear is None or said.freshness is None:
        return None
    known = truth.levels != UNKNOWN
    logit, edible = said.freshness[known], (truth.levels[known] > ROTTEN).astype(np.int64)
    temperature = fit_temperature(np.stack([np.zeros_like(logit), logit], axis=1), edible)
    scores = sigmoid(logit / np.float32(temperature))
    fresh_from = fit_fresh_from(scores, truth.levels[known], ROTTEN_BELOW)
    return Freshness(linear, temperature, ROTTEN_BELOW, fresh_from)


def _plain(
    kinds: Linear, freshness: Linear | None, ood: OodDetector, classes: Sequence[str]
) -> Head:
    _, kind_of, parts = class_parts(classes)
    scale = Freshness(freshness, 1.0, ROTTEN_BELOW, ROTTEN_BELOW) if freshness else None
    return Head(kinds, 1.0, kind_of, parts, scale, ood)
