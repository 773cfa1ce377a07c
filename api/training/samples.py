"""Samples: the images that a network learns from, with target, freshness, source and group."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.imaging.crop import BOX_MARGIN
from api.core.imaging.decode import decode
from api.core.imaging.resize import to_input
from api.core.labels import Label, Level, fruits_of, read_label
from api.core.layout import FAR, NEAR, source_of
from api.core.near_duplicates import is_saved_copy
from api.training.bounding_boxes import Box, crop
from api.training.class_folders import PhotoFile


@dataclass(frozen=True)
class Sample:
    """One photograph, or one box in a frame, for training or evaluation.

    `copies` are files of the same photograph; each training view uses one of them. `target` is a
    probability for each class, summing to 1, and empty for out-of-distribution samples.
    `freshness` is 1 (not rotten), 0 (rotten) or None (unknown). `group` is the unit that must not
    be split: photograph, run, kind of produce, or file.
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
    """One sample for each photograph of a source, its unaltered file first if there is one."""
    groups: dict[tuple[str, str, str], list[PhotoFile]] = {}
    for file in files:
        # Files of two sources with the same name are grouped as one photograph.
        groups.setdefault((file.photograph, file.class_name, file.source), []).append(file)
    for group in groups.values():
        group.sort(key=lambda file: (is_saved_copy(file.path), file.path))
    return [_sample(root, group, classes) for _, group in sorted(groups.items())]


def file_samples(root: Path, files: Iterable[PhotoFile], classes: Sequence[str]) -> list[Sample]:
    """One sample for each file, saved copies included, for evaluation."""
    return [_sample(root, [file], classes) for file in files]


def boxed_samples(boxes: Iterable[Box], classes: Sequence[str]) -> list[Sample]:
    """One sample for each box whose fruit is among `classes`.

    Fruit past its best maps to the overripe class if there is one, else to the fresh one. An
    unknown level has target 0.5 for fresh and 0.5 for rotten. A fruit whose class names no level
    has that class.
    """
    by_label = {read_label(name): name for name in classes}
    without_level = {
        fruit: name
        for name in classes
        if read_label(name).level is None
        for fruit in fruits_of(name)
    }
    samples = []
    for box in boxes:
        fresh = by_label.get(Label(box.fruit, "fresh"))
        rotten = by_label.get(Label(box.fruit, "rotten"))
        if fresh is not None and rotten is not None:
            past_best = by_label.get(Label(box.fruit, "past_best"), fresh)
            by_level = {"fresh": fresh, "past_best": past_best, "rotten": rotten}
            possible = {fresh, rotten} if box.level is None else {by_level[box.level]}
        elif box.fruit in without_level:
            possible = {without_level[box.fruit]}
        else:
            continue
        target = tuple(float(name in possible) / len(possible) for name in classes)
        samples.append(
            Sample((box.path,), target, _freshness(box.level), box.source, box.group, box)
        )
    return samples


def near_ood_samples(root: Path, paths: Iterable[Path]) -> list[Sample]:
    """One sample for each photo of other produce, grouped by `other/<kind>`.

    The folder of a path names the kind and perhaps its level: `rottenguava` is a rotten guava.
    """
    samples = []
    for path in paths:
        label = read_label(path.parent.name)
        source = source_of(path.relative_to(root))
        group = f"{NEAR}{label.fruit}"
        samples.append(Sample((path,), (), _freshness(label.level), source, group))
    return samples


def far_ood_samples(root: Path, paths: Iterable[Path]) -> list[Sample]:
    """One sample for each photo of other things, grouped by `far/<file name>`."""
    return [
        Sample((path,), (), source=source_of(path.relative_to(root)), group=f"{FAR}{path.name}")
        for path in paths
    ]


def one_hot(class_name: str, classes: Sequence[str]) -> tuple[float, ...]:
    return tuple(float(name == class_name) for name in classes)


def targets(samples: Sequence[Sample]) -> NDArray[np.float32]:
    """Targets float32 [n, classes]; zeros for out-of-distribution samples."""
    classes = max((len(sample.target) for sample in samples), default=0)
    rows = [sample.target or (0.0,) * classes for sample in samples]
    return np.array(rows, dtype=np.float32).reshape(len(rows), classes)


def balance_keys(
    samples: Sequence[Sample], classes: Sequence[str]
) -> tuple[list[str], list[str], list[str]]:
    """Source, label and kind of each sample, for `balanced_weights`.

    The label is the class; for a box of unknown level, the fruit; for out-of-distribution samples,
    near or far and the freshness. The kind is the fruit, or "" for out-of-distribution samples.
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


def load_image(sample: Sample, copy: int = 0, margin: float = BOX_MARGIN) -> Image.Image:
    """Decode one copy, cropped to the box if there is one."""
    photograph = decode(sample.copies[copy].read_bytes())
    return crop(photograph, sample.box, margin) if sample.box else photograph.image


def load_inputs(samples: Sequence[Sample], size: int) -> NDArray[np.uint8]:
    """The network's inputs at inference: uint8 [n, size, size, 3]."""
    return np.stack([to_input(load_image(sample), size) for sample in samples])


def _sample(root: Path, files: Sequence[PhotoFile], classes: Sequence[str]) -> Sample:
    """The sample of the files of one photograph."""
    first = files[0]
    return Sample(
        copies=tuple(root / file.path for file in files),
        target=one_hot(first.class_name, classes),
        freshness=_freshness(read_label(first.class_name).level),
        source=first.source,
        group=first.photograph,
    )


def _freshness(level: Level | None) -> float | None:
    # Fruit past its best is edible, so it counts as fresh where there are only two levels.
    return None if level is None else float(level != "rotten")
