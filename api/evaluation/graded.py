"""Samples with the predictions of graders that were not trained on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.labels import read_label
from api.evaluation.ood_metrics import OodMargins
from api.training.samples import Sample, targets

# Prefix of the arrays of `OutOfFold.synthetic` in a cache file.
_SYNTHETIC = "drawn_"


@dataclass(frozen=True)
class OutOfFold:
    """Predictions of graders on n samples that they were not trained on.

    `probabilities` and, without temperature, `uncalibrated` float32 [n, classes]. `margins` float32
    [n] are OOD scores minus the grader's threshold, above 0 if rejected. `synthetic` has the
    margins float32 [any] of synthetic images, by kind.
    """

    probabilities: NDArray[np.float32]
    uncalibrated: NDArray[np.float32]
    margins: NDArray[np.float32]
    synthetic: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def recognised(self) -> NDArray[np.bool_]:
        """bool [n]."""
        return self.margins <= 0

    def rows(self, mask: NDArray[np.bool_]) -> "OutOfFold":
        """The samples where `mask` [n] is True, without the synthetic images."""
        return OutOfFold(self.probabilities[mask], self.uncalibrated[mask], self.margins[mask])

    @classmethod
    def join(cls, parts: Sequence["OutOfFold"]) -> "OutOfFold":
        """Concatenate the predictions of at least one grader."""
        kinds = sorted(set.intersection(*(set(part.synthetic) for part in parts)))
        return cls(
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.uncalibrated for part in parts]),
            np.concatenate([part.margins for part in parts]),
            {kind: np.concatenate([part.synthetic[kind] for part in parts]) for kind in kinds},
        )

    def save(self, path: Path) -> None:
        """Write the file atomically."""
        temporary = path.with_suffix(".tmp.npz")
        arrays: dict[str, Any] = {
            "probabilities": self.probabilities,
            "uncalibrated": self.uncalibrated,
            "margins": self.margins,
            **{f"{_SYNTHETIC}{kind}": margins for kind, margins in self.synthetic.items()},
        }
        np.savez_compressed(temporary, **arrays)
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> "OutOfFold":
        """Raises KeyError for another kind of file."""
        with np.load(path, allow_pickle=False) as arrays:
            stored = dict(arrays)
        synthetic = {
            name.removeprefix(_SYNTHETIC): margins
            for name, margins in stored.items()
            if name.startswith(_SYNTHETIC)
        }
        return cls(stored["probabilities"], stored["uncalibrated"], stored["margins"], synthetic)


@dataclass(frozen=True)
class GradedSamples:
    """Samples [n] and their predictions.

    For a sample of unknown level only the fruit is known, not the class. Properties about class,
    fruit or level have no meaning for out-of-distribution samples.
    """

    samples: Sequence[Sample]
    predictions: OutOfFold
    classes: Sequence[str]

    def __len__(self) -> int:
        return len(self.samples)

    @classmethod
    def join(cls, parts: Sequence["GradedSamples"]) -> "GradedSamples":
        """Concatenate at least one part."""
        return cls(
            [sample for part in parts for sample in part.samples],
            OutOfFold.join([part.predictions for part in parts]),
            parts[0].classes,
        )

    def where(self, rows: NDArray[np.bool_]) -> "GradedSamples":
        """Those where `rows` [n] is True, without the synthetic images."""
        samples = list(compress(self.samples, rows))
        return GradedSamples(samples, self.predictions.rows(rows), self.classes)

    def counted_once(self, photographs: Iterable[Sample]) -> "GradedSamples":
        """The boxed fruits, and the first file of each of `photographs`."""
        first = {sample.copies[0] for sample in photographs}
        return self.where(
            np.array([bool(sample.box) or sample.copies[0] in first for sample in self.samples])
        )

    def ood_margins(self, prefix: str) -> OodMargins:
        """The margins of the out-of-distribution samples whose group begins with `prefix`."""
        return self.where(~self.is_fruit & np.char.startswith(self.groups, prefix)).margins

    @property
    def margins(self) -> OodMargins:
        return OodMargins(self.predictions.margins, self.groups.tolist())

    @cached_property
    def is_fruit(self) -> NDArray[np.bool_]:
        """Whether the sample is in distribution: bool [n]."""
        return np.array([bool(sample.target) for sample in self.samples], bool)

    @cached_property
    def targets(self) -> NDArray[np.float32]:
        """float32 [n, classes]."""
        return targets(self.samples).reshape(len(self), len(self.classes))

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The class, int64 [n]; the first of several possible ones."""
        labels: NDArray[np.int64] = self.targets.argmax(axis=1)
        return labels

    @cached_property
    def class_names(self) -> NDArray[np.str_]:
        """The names of `labels`: strings [n]."""
        return np.array(self.classes)[self.labels]

    @cached_property
    def has_class(self) -> NDArray[np.bool_]:
        """Whether the class is known: bool [n]."""
        known: NDArray[np.bool_] = (self.targets > 0).sum(axis=1) == 1
        return known

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The predicted class: int64 [n]."""
        predicted: NDArray[np.int64] = self.predictions.probabilities.argmax(axis=1)
        return predicted

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the predicted class is a possible one: bool [n]."""
        return self.targets[np.arange(len(self)), self.predicted] > 0

    @cached_property
    def same_fruit(self) -> NDArray[np.bool_]:
        """Whether the predicted class is of the right fruit: bool [n]."""
        fruit = np.array([read_label(name).fruit for name in self.classes])
        same: NDArray[np.bool_] = fruit[self.predicted] == fruit[self.labels]
        return same

    @cached_property
    def called_edible(self) -> NDArray[np.bool_]:
        """Whether the predicted class is not a rotten one: bool [n]."""
        rotten = np.array([read_label(name).level == "rotten" for name in self.classes])
        return ~rotten[self.predicted]

    @cached_property
    def sources(self) -> NDArray[np.str_]:
        return np.array([sample.source for sample in self.samples], dtype=np.str_)

    @cached_property
    def groups(self) -> NDArray[np.str_]:
        return np.array([sample.group for sample in self.samples], dtype=np.str_)

    @cached_property
    def levels(self) -> NDArray[np.str_]:
        """One of LEVELS, or empty if unknown: strings [n]."""
        levels = [
            sample.box.level if sample.box else read_label(name).level
            for sample, name in zip(self.samples, self.class_names.tolist(), strict=True)
        ]
        return np.array([level or "" for level in levels], dtype=np.str_)

    @cached_property
    def edible(self) -> NDArray[np.bool_]:
        """Whether the fruit is known not to be rotten: bool [n]."""
        return np.isin(self.levels, ["fresh", "past_best"])

    @cached_property
    def freshness_scores(self) -> NDArray[np.float32]:
        """The probability of "not rotten": float32 [n]."""
        fresh = [read_label(name).freshness == "fresh" for name in self.classes]
        score: NDArray[np.float32] = self.predictions.probabilities[:, fresh].sum(axis=1)
        return score
