"""What a grader says of what it has not seen, kept on disk between runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.evaluation.rejection import Margins
from api.training.samples import Sample

_DRAWN = "drawn_"


@dataclass(frozen=True)
class HeldOut:
    """What one grader said of n samples that it had not seen.

    `probabilities` and `uncalibrated`, those without temperature, are float32 [n, classes].
    `margins` float32 [n] are out-of-distribution scores less the grader's threshold, so that over
    0 means not recognised. `drawn` has the margins float32 [any] of drawn pictures, by kind.
    """

    probabilities: NDArray[np.float32]
    uncalibrated: NDArray[np.float32]
    margins: NDArray[np.float32]
    drawn: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.margins)

    @property
    def recognised(self) -> NDArray[np.bool_]:
        """Whether each sample was: bool [n]."""
        recognised: NDArray[np.bool_] = self.margins <= 0
        return recognised

    def rows(self, wanted: NDArray[np.bool_]) -> "HeldOut":
        """The samples that are wanted, bool [n]. Nothing drawn."""
        return HeldOut(self.probabilities[wanted], self.uncalibrated[wanted], self.margins[wanted])

    @classmethod
    def join(cls, parts: Sequence["HeldOut"]) -> "HeldOut":
        """What several graders said, one after another; at least one."""
        kinds = sorted(set.intersection(*(set(part.drawn) for part in parts)))
        return cls(
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.uncalibrated for part in parts]),
            np.concatenate([part.margins for part in parts]),
            {kind: np.concatenate([part.drawn[kind] for part in parts]) for kind in kinds},
        )

    def save(self, path: Path) -> None:
        """Write the file whole or not at all."""
        temporary = path.with_suffix(".tmp.npz")
        arrays: dict[str, Any] = {
            "probabilities": self.probabilities,
            "uncalibrated": self.uncalibrated,
            "margins": self.margins,
            **{f"{_DRAWN}{kind}": margins for kind, margins in self.drawn.items()},
        }
        np.savez_compressed(temporary, **arrays)
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> "HeldOut":
        """Read what `save` wrote. Raises KeyError for another kind of file."""
        with np.load(path, allow_pickle=False) as arrays:
            stored = dict(arrays)
        drawn = {k.removeprefix(_DRAWN): v for k, v in stored.items() if k.startswith(_DRAWN)}
        return cls(stored["probabilities"], stored["uncalibrated"], stored["margins"], drawn)


def cached(path: Path, make: Callable[[], HeldOut]) -> HeldOut:
    """What lies at `path`; where nothing does, what `make` gives, which then lies there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        make().save(path)
    return HeldOut.load(path)


def margins_of(samples: Sequence[Sample], found: HeldOut, prefix: str) -> Margins:
    """The margins of those of `samples` [n] whose group begins with `prefix`: NEAR or FAR."""
    wanted = np.array(
        [not sample.target and sample.group.startswith(prefix) for sample in samples], dtype=bool
    )
    groups = [sample.group for sample, own in zip(samples, wanted.tolist(), strict=True) if own]
    return Margins(found.margins[wanted], groups)
