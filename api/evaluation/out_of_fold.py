"""What a grader says of what it has not seen, kept on disk between runs.

Beside photographs, it is shown pictures of nothing, drawn by seed: noise, a flat colour, a blank
sheet. A grader must not recognise a fruit in them, and never learns from them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.progress import Progress, silent
from api.evaluation.rejection import Margins
from api.training.embedding import embed_pixels
from api.training.grader import Grader
from api.training.samples import Sample

_DRAWN = "drawn_"
COUNT = 32


@dataclass(frozen=True)
class OutOfFold:
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

    def rows(self, wanted: NDArray[np.bool_]) -> "OutOfFold":
        """The samples that are wanted, bool [n]. Nothing drawn."""
        return OutOfFold(
            self.probabilities[wanted], self.uncalibrated[wanted], self.margins[wanted]
        )

    @classmethod
    def join(cls, parts: Sequence["OutOfFold"]) -> "OutOfFold":
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
    def load(cls, path: Path) -> "OutOfFold":
        """Read what `save` wrote. Raises KeyError for another kind of file."""
        with np.load(path, allow_pickle=False) as arrays:
            stored = dict(arrays)
        drawn = {k.removeprefix(_DRAWN): v for k, v in stored.items() if k.startswith(_DRAWN)}
        return cls(stored["probabilities"], stored["uncalibrated"], stored["margins"], drawn)


def cached(path: Path, make: Callable[[], OutOfFold]) -> OutOfFold:
    """What lies at `path`; where nothing does, what `make` gives, which then lies there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        make().save(path)
    return OutOfFold.load(path)


def margins_of(samples: Sequence[Sample], found: OutOfFold, prefix: str) -> Margins:
    """The margins of those of `samples` [n] whose group begins with `prefix`: NEAR or FAR."""
    wanted = np.array(
        [not sample.target and sample.group.startswith(prefix) for sample in samples], dtype=bool
    )
    groups = [sample.group for sample, own in zip(samples, wanted.tolist(), strict=True) if own]
    return Margins(found.margins[wanted], groups)


def grade(
    grader: Grader,
    samples: Sequence[Sample],
    progress: Progress = silent,
    purpose: str = "what was held out",
) -> OutOfFold:
    """Grade samples of any kind by their first file, and pictures that show nothing."""
    head = grader.head
    embeddings = grader.embed(samples, progress, purpose)

    def margins(found: NDArray[np.float32]) -> NDArray[np.float32]:
        return head.ood_score(found) - np.float32(head.ood.threshold)

    return OutOfFold(
        probabilities=head.probabilities(embeddings),
        uncalibrated=head.uncalibrated.probabilities(embeddings),
        margins=margins(embeddings),
        drawn={
            kind: margins(embed_pixels(grader.backbone, pixels))
            for kind, pixels in ood_images(grader.input_size).items()
        },
    )


def ood_images(size: int, seed: int = 0) -> dict[str, NDArray[np.uint8]]:
    """By kind, uint8 [COUNT, size, size, 3] as the network would see them.

    Noise is fine or coarse grain, grey or coloured; a flat colour is any; a blank sheet runs from
    black to white.
    """
    rng = np.random.default_rng(seed)
    noise = np.stack([_grain(rng, size, k) for k in range(COUNT)])
    colours = rng.integers(0, 256, (COUNT, 1, 1, 3), dtype=np.uint8)
    greys = np.linspace(0, 255, COUNT).astype(np.uint8)[:, None, None, None]
    shape = (COUNT, size, size, 3)
    return {
        "noise": noise,
        "flat_colour": np.broadcast_to(colours, shape),
        "blank": np.broadcast_to(greys, shape),
    }


def _grain(rng: np.random.Generator, size: int, number: int) -> NDArray[np.uint8]:
    """Noise of one grain of 1, 2, 4 or 8 pixels, every other time grey: uint8 [size, size, 3]."""
    grain = 2 ** (number // 2 % 4)
    cells = -(-size // grain)
    channels = 3 if number % 2 else 1
    coarse = rng.integers(0, 256, (cells, cells, channels), dtype=np.uint8)
    fine = coarse.repeat(grain, axis=0).repeat(grain, axis=1)[:size, :size]
    return np.broadcast_to(fine, (size, size, 3))
