"""Compares two detectors on the same held-out pictures, for the gate."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from api.core.arrays import FloatArray
from api.core.paired_comparison import DetectorComparison, MetricPair, PairedCounts
from api.core.progress import Progress, silent
from api.evaluation.compare_models import paired_counts
from api.evaluation.detection import FruitGrader, find, grade_found
from api.evaluation.detection_metrics import (
    FoundBoxes,
    at_threshold,
    detection_metrics,
    match,
    right_fruits,
)
from api.model.detector import Detector
from api.training.detection.sampler import Material, kinds_of, read_scene
from api.training.detection.scenes import Composer
from api.training.detection.targets import Scene
from api.training.frames import Frame

# At most this many photos of one fruit, and this many composed scenes.
SINGLE, COMPOSED = 120, 60
SIDE, SEED = 448, 20261129


@dataclass(frozen=True)
class Picture:
    """A held-out picture of a group; a boxed photo has the `levels` of its boxes.

    `read` gives its scene: boxed photos are large, so only one is in memory at a time.
    """

    group: str
    read: Callable[[], Scene]
    levels: Sequence[str | None] | None = None

    @classmethod
    def of(cls, group: str, scene: Scene) -> "Picture":
        """A small picture, which stays in memory."""
        return cls(group, lambda: scene)


def held_out_pictures(frames: Iterable[Frame], material: Material) -> list[Picture]:
    """Boxed photos and, from the `material` of the test split, photos of one fruit and scenes
    composed of cut-outs."""
    kinds = kinds_of(material.fruits)
    pictures = [
        Picture(
            f"boxed photos from {frame.source}",
            partial(read_scene, frame, kinds),
            frame.levels(kinds),
        )
        for frame in frames
    ]
    rng = np.random.default_rng(SEED)
    chosen = rng.permutation(len(material.single))[:SINGLE]
    pictures += [Picture.of("photos of one fruit", material.single[int(k)]) for k in chosen]
    if material.cutouts:
        composer = Composer(material.cutouts, material.clutter, material.empty, SIDE)
        pictures += [Picture.of("composed scenes", composer.compose(rng)) for _ in range(COMPOSED)]
    return pictures


def compare_detectors(
    champion: Detector,
    candidate: Detector,
    pictures: Sequence[Picture],
    grader: FruitGrader,
    progress: Progress = silent,
) -> DetectorComparison:
    """`grader` grades what both find, so only the boxes differ. Both know the same fruits."""
    detectors = (champion, candidate)
    found: list[list[FoundBoxes]] = [[], []]
    graded: list[list[bool]] = [[], []]
    for done, picture in enumerate(pictures, start=1):
        scene = picture.read()
        for k, detector in enumerate(detectors):
            photo = find(detector, scene)
            found[k].append(photo)
            if picture.levels is not None:
                sure = at_threshold(photo, detector.manifest.score_threshold)
                grades = grade_found(grader, scene, sure.boxes, picture.levels)
                graded[k].append(all(each.is_right for each in grades))
        progress("Comparing the detectors", done, len(pictures))
    kept = [
        [at_threshold(photo, detector.manifest.score_threshold) for photo in photos]
        for photos, detector in zip(found, detectors, strict=True)
    ]
    groups = np.array([picture.group for picture in pictures], np.str_)
    right = [np.array([is_right(photo) for photo in photos], bool) for photos in kept]
    rows = [row for row, picture in enumerate(pictures) if picture.levels is not None]
    comparison = DetectorComparison(
        photographs=len(rows),
        boxes=sum(len(kept[0][row].true_boxes) for row in rows),
        overall=paired_counts(*right),
        groups={
            name: paired_counts(*(each[groups == name] for each in right))
            for name in np.unique(groups).tolist()
        },
    )
    if not rows:
        return comparison
    fruits = candidate.manifest.fruits
    champions, candidates = (
        detection_metrics([photos[row] for row in rows], fruits, detector.manifest.score_threshold)
        for photos, detector in zip(found, detectors, strict=True)
    )
    by_fruit = candidates["average_precision_by_fruit"]
    return replace(
        comparison,
        fruits=_by_fruit([[photos[row] for row in rows] for photos in kept], fruits),
        grades=paired_counts(*(np.array(each, bool) for each in graded)),
        average_precision={
            name: MetricPair(value, by_fruit[name])
            for name, value in champions["average_precision_by_fruit"].items()
        },
        recall=MetricPair(champions["recall"], candidates["recall"]) if comparison.boxes else None,
    )


def is_right(photo: FoundBoxes) -> bool:
    """Whether each fruit is found and named, and nothing else is found where all are known."""
    matches = match(photo.boxes, photo.true_boxes)
    all_found = (matches >= 0).sum() == len(photo.true_boxes)
    surplus = photo.complete and len(photo.boxes) > len(photo.true_boxes)
    return bool(all_found and right_fruits(photo, matches).all() and not surplus)


def _by_fruit(kept: list[list[FoundBoxes]], fruits: Sequence[str]) -> dict[str, PairedCounts]:
    """For each fruit, on the photos that show it: whether each detector finds all of them."""
    counts = {}
    for kind, name in enumerate(fruits):
        rows = [row for row, photo in enumerate(kept[0]) if (photo.true_fruits == kind).any()]
        if rows:
            finds = [np.array([_finds(photos[row], kind) for row in rows]) for photos in kept]
            counts[name] = paired_counts(*finds)
    return counts


def _finds(photo: FoundBoxes, kind: int) -> bool:
    """Whether all fruits of that kind are found as such."""
    true: FloatArray = photo.true_boxes[photo.true_fruits == kind]
    return bool((match(photo.boxes[photo.fruits == kind], true) >= 0).sum() == len(true))
