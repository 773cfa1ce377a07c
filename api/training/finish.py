"""From linear heads to a finished one: calibrated, with its levels, able to say "none of them".

Full training, every fold of the cross-validation and fast retraining end here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import sigmoid
from api.core.calibration import fit_fresh_from, fit_temperature
from api.core.heads import Freshness, Head, Linear
from api.core.labels import ROTTEN, UNKNOWN, level_number, read_label
from api.core.ood import OodDetector
from api.training.heads import parts_of
from api.training.ood import choose_threshold
from api.training.samples import Sample

# As likely rotten as not.
ROTTEN_BELOW = 0.5


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


@dataclass(frozen=True)
class FittedHeads:
    """Heads for `classes` as they were learned, before calibration; `ood` has no threshold yet."""

    classes: tuple[str, ...]
    kinds: Linear
    freshness: Linear | None
    ood: OodDetector

    @property
    def plain(self) -> Head:
        """A head that is not calibrated and rejects nothing."""
        kind_of, parts = parts_of(self.classes, self.freshness is not None)
        scale = None
        if self.freshness:
            scale = Freshness(self.freshness, 1.0, ROTTEN_BELOW, ROTTEN_BELOW)
        return Head(self.kinds, 1.0, kind_of, parts, scale, self.ood)

    def logits(self, embeddings: NDArray[np.float32]) -> Logits:
        """What they say of embeddings float32 [n, channels]."""
        return Logits(
            kinds=self.kinds(embeddings),
            freshness=self.freshness(embeddings)[:, 0] if self.freshness else None,
            ood=self.plain.ood_score(embeddings),
        )


def finish_head(
    heads: FittedHeads, said: Logits, truth: Truth, new: Sequence[NDArray[np.float32]] = ()
) -> Head:
    """`heads` with temperatures, levels and threshold by what they said of other photographs.

    `new` has the held-out scores [any] of each class that is new, for the threshold.
    """
    plain = heads.plain
    labels = plain.kind_of[truth.targets.argmax(axis=1)]
    known = int(plain.kind_of.max()) + 1
    return replace(
        plain,
        temperature=fit_temperature(said.kinds[:, :known], labels),
        freshness=_scaled(heads.freshness, said, truth),
        ood=heads.ood.with_threshold(choose_threshold(said.ood, truth.sources, new)),
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
        found.append(level_number(level))
    return np.array(found, np.int64)


def freshness_of_levels(levels: NDArray[np.int64]) -> NDArray[np.float32]:
    """1 for not rotten, 0 for rotten, NaN for UNKNOWN: float32 [n]."""
    return np.where(levels == UNKNOWN, np.nan, levels > ROTTEN).astype(np.float32)


def _scaled(linear: Linear | None, said: Logits, truth: Truth) -> Freshness | None:
    if linear is None or said.freshness is None:
        return None
    known = truth.levels != UNKNOWN
    logit = said.freshness[known]
    edible = (truth.levels[known] > ROTTEN).astype(np.int64)
    temperature = fit_temperature(np.stack([np.zeros_like(logit), logit], axis=1), edible)
    scores = sigmoid(logit / np.float32(temperature))
    fresh_from = fit_fresh_from(scores, truth.levels[known], ROTTEN_BELOW)
    return Freshness(linear, temperature, ROTTEN_BELOW, fresh_from)
