"""What the network learns from: pictures, and what is known of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.imaging.decode import decode
from api.core.imaging.preprocess import to_input
from api.core.labels import Label, Level, fruits_of, read_label
from api.core.layout import FAR, NEAR, source_of
from api.core.near_duplicates import is_saved_copy
from api.training.bounding_boxes import Box, crop
from api.training.class_folders import PhotoFile

# Room around a box when a crop is graded; training varies it.
BOX_MARGIN = 0.15
# What is past its best is good to eat: fresh, where there are but two levels.
FRESHNESS: dict[Level, float] = {"fresh": 1.0, "past_best": 1.0, "rotten": 0.0}


@dataclass(frozen=True)
class Sample:
    """One photograph, or one fruit in it, to learn from or to measure on.

    `copies` are files of the same photograph, of which training takes one at a time. `target` is
    the probability of each class and sums to 1; it is empty for what is none of the classes.
    `freshness` is 1 for not rotten, 0 for rotten and None where it is not known. `group` is the
    photograph, run or kind: what must stand on one side of a split.
    """

    copies: tuple[Path, ...]
    target: tuple[float, ...]
    freshness: float | None = None
    source: str = ""
    group: str = ""
    box: Box | None = None


def photograph_samples(
    root: Path, files: Iterable[PhotoFile], classes: Sequence[str]
) -> list[Sample]:
    """One sample for each photograph of a source, its unaltered file first where there is one."""
    groups: dict[tuple[str, str, str], list[PhotoFile]] = {}
    for file in files:
        # Files of two sources may have the same name by chance, which makes them one photograph.
        groups.setdefault((file.photograph, file.class_name, file.source), []).append(file)
    samples = []
    for _, group in sorted(groups.items()):
        group.sort(key=lambda file: (is_saved_copy(file.path), file.path))
        samples.append(_sample(root, group, classes))
    return samples


def file_samples(root: Path, files: Iterable[PhotoFile], classes: Sequence[str]) -> list[Sample]:
    """One sample for each file, saved copies included, for evaluation."""
    return [_sample(root, [file], classes) for file in files]


def boxed_samples(boxes: Iterable[Box], classes: Sequence[str]) -> list[Sample]:
    """One sample for each box whose fruit is among `classes`.

    What is past its best is of the fresh class, unless there is one of overripe fruit. A box of
    unknown level is half of the fresh and half of the rotten class. A fruit with a plain class,
    which says no freshness, is of that class.
    """
    of_label = {read_label(name): name for name in classes}
    plain = {
        fruit: name
        for name in classes
        if read_label(name).level is None
        for fruit in fruits_of(name)
    }
    samples = []
    for box in boxes:
        fresh = of_label.get(Label(box.fruit, "fresh"))
        rotten = of_label.get(Label(box.fruit, "rotten"))
        if fresh is not None and rotten is not None:
            past_best = of_label.get(Label(box.fruit, "past_best"), fresh)
            of_level = {"fresh": fresh, "past_best": past_best, "rotten": rotten}
            right = {fresh, rotten} if box.level is None else {of_level[box.level]}
        elif box.fruit in plain:
            right = {plain[box.fruit]}
        else:
            continue
        target = tuple(float(name in right) / len(right) for name in classes)
        samples.append(
            Sample((box.path,), target, _freshness(box.level), box.source, box.group, box)
        )
    return samples


def near_samples(root: Path, paths: Iterable[Path]) -> list[Sample]:
    """One sample for each photograph of other produce, by `other/<kind>` as its group.

    `paths` lie under `root`, and their folders name the kind and perhaps its freshness:
    `rottenguava` is a guava.
    """
    samples = []
    for path in paths:
        label = read_label(path.parent.name)
        source = source_of(path.relative_to(root))
        group = f"{NEAR}{label.fruit}"
        samples.append(Sample((path,), (), _freshness(label.level), source, group))
    return samples


def far_samples(root: Path, paths: Iterable[Path]) -> list[Sample]:
    """One sample for each photograph of other things, by `far/<file name>` as its group."""
    return [
        Sample((path,), (), source=source_of(path.relative_to(root)), group=f"{FAR}{path.name}")
        for path in paths
    ]


def one_hot(class_name: str, classes: Sequence[str]) -> tuple[float, ...]:
    return tuple(float(name == class_name) for name in classes)


def targets(samples: Sequence[Sample]) -> NDArray[np.float32]:
    """The targets as float32 [n, classes]; a row of zeros for what is none of the classes."""
    classes = max((len(sample.target) for sample in samples), default=0)
    rows = [sample.target or (0.0,) * classes for sample in samples]
    return np.array(rows, dtype=np.float32).reshape(len(rows), classes)


def balance_keys(
    samples: Sequence[Sample], classes: Sequence[str]
) -> tuple[list[str], list[str], list[str]]:
    """Source, label and kind of each sample, as `balanced_weights` takes them.

    The label is the class; of a box of unknown level the fruit; of what is none of the classes near
    or far, and how fresh it is. The kind is the fruit, empty for none of the classes.
    """
    sources, labels, kinds = [], [], []
    for sample in samples:
        names = [name for name, share in zip(classes, sample.target, strict=False) if share > 0]
        kind = read_label(names[0]).fruit if names else ""
        if names:
            label = names[0] if len(names) == 1 else kind
        else:
            side = "far" if sample.group.startswith(FAR) else "near"
            label = side if sample.freshness is None else f"{side} {sample.freshness:g}"
        sources.append(sample.source)
        labels.append(label)
        kinds.append(kind)
    return sources, labels, kinds


def read(sample: Sample, copy: int = 0, margin: float = BOX_MARGIN) -> Image.Image:
    """Decode one copy of the photograph, cut to its box if it has one."""
    photograph = decode(sample.copies[copy].read_bytes())
    return crop(photograph, sample.box, margin) if sample.box else photograph.image


def inputs(samples: Sequence[Sample], size: int) -> NDArray[np.uint8]:
    """Samples as the network sees them when it grades: uint8 [n, size, size, 3]."""
    pixels: list[NDArray[Any]] = [to_input(read(sample), size) for sample in samples]
    return np.stack(pixels)


def _sample(root: Path, files: Sequence[PhotoFile], classes: Sequence[str]) -> Sample:
    """The files of one photograph as a sample."""
    first = files[0]
    return Sample(
        copies=tuple(root / file.path for file in files),
        target=one_hot(first.class_name, classes),
        freshness=_freshness(read_label(first.class_name).level),
        source=first.source,
        group=first.photograph,
    )


def _freshness(level: Level | None) -> float | None:
    return None if level is None else FRESHNESS[level]
