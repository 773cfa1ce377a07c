"""What the network learns from: labelled pictures, whichever kind of folder they lie in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.dataset.boxed import Box, crop
from api.dataset.folder import PhotoFile
from api.dataset.labels import Label, read_label
from api.dataset.naming import is_saved_copy
from api.imaging.decode import decode
from api.imaging.preprocess import to_input
from api.training.head import balance

# Room around a box when a crop is graded; training varies it.
BOX_MARGIN = 0.15


@dataclass(frozen=True)
class Sample:
    """One photograph to learn from, with the probability that each class should get.

    `copies` are files of the same photograph, of which training takes one at a time. `target` has
    one entry a class and sums to 1.
    """

    copies: tuple[Path, ...]
    target: tuple[float, ...]
    weight: float = 1.0
    box: Box | None = None

    @property
    def studio(self) -> bool:
        return self.box is None


def photograph_samples(
    root: Path, files: Iterable[PhotoFile], classes: Sequence[str]
) -> list[Sample]:
    """One sample for each photograph, its unaltered file first where there is one."""
    groups: dict[tuple[str, str], list[PhotoFile]] = {}
    for file in files:
        groups.setdefault((file.photograph, file.class_name), []).append(file)
    samples = []
    for (_, class_name), group in sorted(groups.items()):
        group.sort(key=lambda file: (is_saved_copy(file.path), file.path))
        copies = tuple(root / file.path for file in group)
        samples.append(Sample(copies, one_hot(class_name, classes)))
    return samples


def file_samples(root: Path, files: Iterable[PhotoFile], classes: Sequence[str]) -> list[Sample]:
    """One sample for each file, saved copies included, for evaluation."""
    return [Sample((root / file.path,), one_hot(file.class_name, classes)) for file in files]


def boxed_samples(
    boxes: Iterable[Box], classes: Sequence[str], normal_freshness: float, weight: float = 1.0
) -> list[Sample]:
    """One sample for each box whose fruit is among `classes`.

    A fruit of level `normal` gets `normal_freshness` of its target on the fresh class and the rest
    on the rotten one.
    """
    of_label = {read_label(name): name for name in classes}
    samples = []
    for box in boxes:
        fresh = of_label.get(Label(box.fruit, "fresh"))
        rotten = of_label.get(Label(box.fruit, "rotten"))
        if fresh is None or rotten is None:
            continue
        freshness = {"fresh": 1.0, "normal": normal_freshness, "rotten": 0.0}[box.level]
        target = tuple(
            freshness if name == fresh else 1 - freshness if name == rotten else 0.0
            for name in classes
        )
        samples.append(Sample((box.path,), target, weight, box))
    return samples


def one_hot(class_name: str, classes: Sequence[str]) -> tuple[float, ...]:
    return tuple(float(name == class_name) for name in classes)


def targets(samples: Sequence[Sample]) -> NDArray[np.float32]:
    """The targets as float32 [n, classes]."""
    return np.array([sample.target for sample in samples], dtype=np.float32)


def read(sample: Sample, copy: int = 0, margin: float = BOX_MARGIN) -> Image.Image:
    """Decode one copy of the photograph, cut to its box if it has one."""
    photograph = decode(sample.copies[copy].read_bytes())
    return crop(photograph, sample.box, margin) if sample.box else photograph.image


def inputs(samples: Sequence[Sample], size: int) -> NDArray[np.uint8]:
    """Samples as the network sees them when it grades: uint8 [n, size, size, 3]."""
    pixels: list[NDArray[Any]] = [to_input(read(sample), size) for sample in samples]
    return np.stack(pixels)


def epoch_order(
    samples: Sequence[Sample], boxed_share: float, seed: int, epoch: int
) -> NDArray[np.int64]:
    """Which samples an epoch takes, and in which order: indices int64 [taken].

    All of class folders, and `boxed_share` of the boxed ones, others in every epoch; of boxed ones
    alone, all.
    """
    rng = np.random.default_rng((seed, epoch))
    studio = np.array([sample.studio for sample in samples])
    boxed = rng.permutation(np.flatnonzero(~studio))
    taken = boxed[: round(boxed_share * len(boxed))] if studio.any() else boxed
    return rng.permutation(np.concatenate([np.flatnonzero(studio), taken]))


def balanced_weights(samples: Sequence[Sample]) -> NDArray[np.float32]:
    """Each sample's weight times a class weight that gives every class the same say.

    float32 [n], mean 1. The class weights count photographs of class folders alone: boxed ones
    are few, of few fruits, and must not shift the balance.
    """
    wanted = targets(samples)
    studio = np.array([sample.studio for sample in samples])
    weights = balance(wanted, studio) * np.array([sample.weight for sample in samples])
    return np.asarray(weights / weights.mean(), dtype=np.float32)
