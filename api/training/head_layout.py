"""Both heads as one Keras output: targets, loss, accuracy, and their first fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from api.core.heads import Linear
from api.training.balance import balanced_weights
from api.training.heads import (
    fit_freshness,
    fit_head,
    freshness_values,
    kind_targets,
    kinds_and_parts,
)
from api.training.samples import Sample, balance_keys, targets
from api.training.views import UNKNOWN


@dataclass(frozen=True)
class HeadLayout:
    """Both heads in one output row: first `kinds` logits ("none of them" last if it is learned),
    then, with `has_freshness`, the freshness logit. Targets have the same order, the freshness
    always in the last column."""

    kind_of: NDArray[np.int64]
    kinds: int
    has_freshness: bool

    @classmethod
    def of(cls, classes: Sequence[str], samples: Sequence[Sample]) -> "HeadLayout":
        has_freshness = {0.0, 1.0} <= {sample.freshness for sample in samples if sample.target}
        kind_of, _ = kinds_and_parts(classes, has_freshness)
        return cls(kind_of, kind_targets(targets(samples), kind_of).shape[1], has_freshness)

    @property
    def outputs(self) -> int:
        return self.kinds + self.has_freshness

    def with_target(self, samples: Sequence[Sample]) -> list[Sample]:
        """The samples; out-of-distribution ones only if "none of them" is an output."""
        has_none = self.kinds > int(self.kind_of.max()) + 1
        return [sample for sample in samples if has_none or sample.target]

    def targets(self, samples: Sequence[Sample]) -> NDArray[np.float32]:
        """Targets of the kinds, then the freshness or UNKNOWN: float32 [n, kinds + 1]."""
        kinds = kind_targets(targets(samples), self.kind_of)
        missing = np.zeros((len(samples), self.kinds - kinds.shape[1]), np.float32)
        freshness = np.nan_to_num(freshness_values(samples), nan=UNKNOWN)
        return np.concatenate([kinds, missing, freshness[:, None]], axis=1)

    def fit(
        self,
        embeddings: NDArray[np.float32],
        samples: Sequence[Sample],
        classes: Sequence[str],
        l2: float,
    ) -> Linear:
        """Fit both heads on fixed embeddings float32 [n, channels]."""
        weights = balanced_weights(*balance_keys(samples, classes))
        kinds = fit_head(embeddings, self.targets(samples)[:, : self.kinds], weights, l2)
        freshness = None
        if self.has_freshness:
            freshness = fit_freshness(embeddings, freshness_values(samples), weights, l2)
        if freshness is None:
            return kinds
        return Linear(
            np.concatenate([kinds.weights, freshness.weights], axis=1),
            np.concatenate([kinds.bias, freshness.bias]),
        )

    def separate(self, both: Linear) -> tuple[Linear, Linear | None]:
        """The kinds head and the freshness head."""
        kinds = Linear(both.weights[:, : self.kinds], both.bias[: self.kinds])
        if not self.has_freshness:
            return kinds, None
        return kinds, Linear(both.weights[:, self.kinds :], both.bias[self.kinds :])

    def loss(self, targets: Any, logits: Any) -> Any:
        """Cross-entropy of the kinds plus, where it is known, that of the freshness."""
        kinds_loss = keras.losses.categorical_crossentropy(
            targets[:, : self.kinds], logits[:, : self.kinds], from_logits=True
        )
        if not self.has_freshness:
            return kinds_loss
        freshness, logit = targets[:, self.kinds], logits[:, self.kinds]
        # Binary cross-entropy from the logit, in the form that does not overflow.
        freshness_loss = ops.softplus(logit) - ops.maximum(freshness, 0.0) * logit
        return kinds_loss + ops.where(freshness >= 0, freshness_loss, 0.0)

    def accuracy(self, targets: Any, logits: Any) -> Any:
        """1 if the kind and, where it is known, the freshness are correct, else 0."""
        correct = ops.equal(
            ops.argmax(targets[:, : self.kinds], axis=1),
            ops.argmax(logits[:, : self.kinds], axis=1),
        )
        if self.has_freshness:
            freshness, logit = targets[:, self.kinds], logits[:, self.kinds]
            same = ops.equal(freshness > 0.5, logit > 0)
            correct = ops.logical_and(correct, ops.logical_or(freshness < 0, same))
        return ops.cast(correct, "float32")
