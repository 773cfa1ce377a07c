"""Measures a package's detector, and its grades of what the detector finds, on held-out photos."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from api.core.arrays import FloatArray
from api.core.boxes import Box
from api.core.imaging.decode import DecodedImage, decode
from api.core.imaging.resize import resize
from api.core.progress import Progress, silent
from api.core.splits import Split
from api.evaluation.detection_metrics import FoundBoxes, at_threshold, detection_metrics, match
from api.model.detector import Detector
from api.model.grade import FruitGrade
from api.model.instances import NoDetectorError, grade_boxes
from api.model.package import Package
from api.model.predictor import Predictor
from api.training.corpus import TrainingCorpus
from api.training.detection.cutouts import Cutout
from api.training.detection.sampler import Material, kinds_of, read_material, read_scene
from api.training.detection.scenes import Composer
from api.training.detection.targets import Scene
from api.training.frames import Frame
from api.training.samples import load_image

# Low enough for the curve that average precision is taken from.
LOWEST_SCORE = 0.02
# At most this many photos are listed as the worst.
WORST = 10
STAGE = "Measuring the detector"
TRAYS, TRAY_SIDE, TRAY_SEED = 200, 480, 20261128
MIN_FRUITS, MAX_FRUITS = 4, 9


@dataclass(frozen=True)
class Graded:
    """A found fruit with a true level: whether it is rotten, and whether the grader says so."""

    is_rotten: bool
    says_rotten: bool

    @property
    def is_right(self) -> bool:
        return self.is_rotten == self.says_rotten


class FruitGrader:
    """Grades fruits of a picture as the service does."""

    def __init__(self, package: Package) -> None:
        self._predictor = Predictor.of_package(package)

    def grade(self, image: Image.Image, boxes: FloatArray) -> list[FruitGrade]:
        """The grades of boxes [n, 4] in shares of the picture; all fruits in one batch."""
        corners = boxes * np.array([image.width, image.height] * 2)
        photo = DecodedImage(image, image.width, image.height, "")
        return grade_boxes(self._predictor, photo, [Box(*corner) for corner in corners.tolist()])


def measure_detection(
    package: Package,
    corpus: TrainingCorpus,
    split: Split = "test",
    progress: Progress = silent,
    trays: int = TRAYS,
) -> dict[str, Any]:
    """All figures of one split, JSON-ready. Raises NoDetectorError."""
    detector = Detector.of_package(package)
    if detector is None:
        raise NoDetectorError(
            f"Version {package.manifest.version} has no detector. Give it one: python -m "
            "api.commands.training detector FOLDER --package PACKAGE."
        )
    grader = FruitGrader(package)
    fruits, threshold = detector.manifest.fruits, detector.manifest.score_threshold
    material = read_material(corpus, split, fruits)
    photos: list[FoundBoxes] = []
    by_source: dict[str, list[FoundBoxes]] = {}
    graded: list[Graded] = []
    frames = corpus.frames(split)
    for done, frame in enumerate(frames, start=1):
        photo, grades = _frame(detector, grader, frame, kinds_of(fruits))
        photos.append(photo)
        by_source.setdefault(frame.source, []).append(photo)
        graded += grades
        progress(STAGE, done, len(frames))
    return {
        "split": split,
        "score_threshold": threshold,
        "boxed": detection_metrics(photos, fruits, threshold) if photos else None,
        "worst_misses": worst_misses(frames, photos, threshold),
        "by_source": {
            source: detection_metrics(photos, fruits, threshold)
            for source, photos in sorted(by_source.items())
        },
        "grades_of_found": _grade_metrics(graded),
        "trays": measure_trays(detector, grader, material, trays, progress),
        "single": measure_single(detector, corpus, split),
        "plainly_several": measure_several(package, corpus, split),
        "no_fruit": measure_empty(detector, grader, material),
    }


def worst_misses(
    frames: Sequence[Frame], photos: Sequence[FoundBoxes], threshold: float
) -> list[dict[str, Any]]:
    """The photos with the most missed fruits and, if all fruits have boxes, surplus boxes.

    JSON-ready. Photos of the catalog also have the boxes, in shares of the photo's sides.
    """
    rows: list[dict[str, Any]] = []
    for frame, photo in zip(frames, photos, strict=True):
        kept = at_threshold(photo, threshold)
        found = match(kept.boxes, kept.true_boxes)
        missed = np.delete(kept.true_boxes, found[found >= 0], axis=0)
        surplus = kept.boxes[(found < 0) & photo.complete]
        if not len(missed) and not len(surplus):
            continue
        row = {
            "file": frame.name,
            "source": frame.source,
            "fruits": len(photo.true_boxes),
            "missed": len(missed),
            "surplus": len(surplus),
        }
        if frame.sha256 is not None:
            row |= {
                "sha256": frame.sha256,
                "missed_boxes": _rounded(missed),
                "surplus_boxes": _rounded(surplus),
            }
        rows.append(row)
    rows.sort(key=lambda row: (-row["missed"] - row["surplus"], row["source"], row["file"]))
    return rows[:WORST]


def _frame(
    detector: Detector, grader: FruitGrader, frame: Frame, kinds: dict[str, int]
) -> tuple[FoundBoxes, list[Graded]]:
    scene = read_scene(frame, kinds)
    photo = find(detector, scene)
    kept = photo.boxes[photo.scores >= detector.manifest.score_threshold]
    return photo, grade_found(grader, scene, kept, frame.levels(kinds))


def find(detector: Detector, scene: Scene) -> FoundBoxes:
    """What is found in a picture, at any score, except for boxes on ignored things."""
    raw = detector.detect(np.asarray(scene.image), LOWEST_SCORE)
    counted = match(raw.boxes, scene.ignored) < 0
    return FoundBoxes(
        raw.boxes[counted],
        raw.scores[counted],
        raw.fruits[counted],
        scene.boxes,
        np.array(scene.kinds, np.int64),
        scene.complete,
    )


def grade_found(
    grader: FruitGrader, scene: Scene, boxes: FloatArray, levels: Sequence[str | None]
) -> list[Graded]:
    """The grades of the found fruits whose level is known; `levels` are of the scene's boxes."""
    grades = grader.grade(scene.image, boxes)
    return [
        Graded(levels[row] == "rotten", grade.freshness == "rotten")
        for row, grade in zip(match(boxes, scene.boxes).tolist(), grades, strict=True)
        if row >= 0 and levels[row] is not None
    ]


def measure_trays(
    detector: Detector,
    grader: FruitGrader,
    material: Material,
    trays: int = TRAYS,
    progress: Progress = silent,
) -> dict[str, Any] | None:
    """Trays composed of one rotten and three to eight sound held-out fruits; None without any."""
    rotten = [cutout for cutout in material.cutouts if cutout.rotten]
    sound = [cutout for cutout in material.cutouts if not cutout.rotten]
    if not trays or not rotten or not sound:
        return None
    composer = Composer((), (), material.empty, TRAY_SIDE)
    threshold = detector.manifest.score_threshold
    photos, found_rotten, called_rotten, sound_found, sound_rotten = [], 0, 0, 0, 0
    for number in range(trays):
        rng = np.random.default_rng((TRAY_SEED, number))
        count = int(rng.integers(MIN_FRUITS, MAX_FRUITS + 1))
        things = [_one_of(rotten, rng), *(_one_of(sound, rng) for _ in range(count - 1))]
        scene = composer.arrange(things, rng, apart=True)
        photo = find(detector, scene)
        photos.append(photo)
        kept = photo.boxes[photo.scores >= threshold]
        # `arrange` keeps the order, and all are visible.
        levels = ["rotten", *["fresh"] * (count - 1)]
        for grade in grade_found(grader, scene, kept, levels):
            found_rotten += grade.is_rotten
            called_rotten += grade.is_rotten and grade.says_rotten
            sound_found += not grade.is_rotten
            sound_rotten += not grade.is_rotten and grade.says_rotten
        progress(STAGE, number + 1, trays)
    return {
        "trays": trays,
        "rotten_found": found_rotten / trays,
        "rotten_found_and_called_rotten": called_rotten / trays,
        "sound_found": sound_found,
        "sound_called_rotten": sound_rotten / max(sound_found, 1),
        **detection_metrics(photos, detector.manifest.fruits, threshold),
    }


def measure_single(detector: Detector, corpus: TrainingCorpus, split: Split) -> dict[str, Any]:
    """Photos of the class folders that show one fruit, by source: the shares with exactly one, none
    and several found."""
    numbers: dict[str, list[int]] = {}
    for sample in corpus.of_one_fruit(split):
        numbers.setdefault(sample.source, []).append(_number(detector, load_image(sample)))
    return {source: _number_metrics(found) for source, found in sorted(numbers.items())}


def measure_several(package: Package, corpus: TrainingCorpus, split: Split) -> dict[str, Any]:
    """How often the grader says "several", by source: on photos of one fruit, and of several."""
    predictor = Predictor.of_package(package)
    said: dict[str, dict[str, list[bool]]] = {}
    for source, number, image in _one_and_several(corpus, split):
        [output] = predictor.forward([resize(image, package.manifest.input_size)])
        said.setdefault(source, {}).setdefault(number, []).append(bool(output.several))
    return {
        source: {
            number: {"photographs": len(answers), "said": float(np.mean(answers))}
            for number, answers in numbers.items()
        }
        for source, numbers in sorted(said.items())
    }


def _one_and_several(
    corpus: TrainingCorpus, split: Split
) -> Iterator[tuple[str, str, Image.Image]]:
    """Source, "one" or "several", and picture of each photo; one at a time, as they are large."""
    for sample in corpus.photographs(split):
        if (count := corpus.fruit_count(sample) or "one") != "unclear":
            yield sample.source, count, load_image(sample)
    for frame in corpus.frames(split):
        if frame.boxes:
            number = "several" if len(frame.boxes) > 1 else "one"
            yield frame.source, number, decode(frame.path.read_bytes()).image


def measure_empty(detector: Detector, grader: FruitGrader, material: Material) -> dict[str, Any]:
    """Photos of other produce and of other things: the shares in which nothing is found, and in
    which the grader recognises nothing of what is found."""
    result = {}
    for name, images in (("other_produce", material.other), ("other_things", material.empty)):
        found = [detector.detect(np.asarray(image)).boxes for image in images]
        grades = [grader.grade(*pair) for pair in zip(images, found, strict=True)]
        if images:
            result[name] = {
                "photographs": len(images),
                "nothing_found": float(np.mean([not len(boxes) for boxes in found])),
                "nothing_recognised": float(
                    np.mean([not any(grade.recognised for grade in photo) for photo in grades])
                ),
            }
    return result


def _number(detector: Detector, image: Image.Image) -> int:
    return len(detector(np.asarray(image)))


def _number_metrics(numbers: Sequence[int]) -> dict[str, Any]:
    values = np.array(numbers)
    return {
        "photographs": len(values),
        "exactly_one": float((values == 1).mean()),
        "none": float((values == 0).mean()),
        "several": float((values > 1).mean()),
    }


def _grade_metrics(graded: Iterable[Graded]) -> dict[str, Any]:
    right = [grade.is_right for grade in graded]
    return {"fruits": len(right), "fresh_or_rotten_right": float(np.mean(right)) if right else None}


def _rounded(boxes: FloatArray) -> list[list[float]]:
    corners: list[list[float]] = np.round(boxes.astype(np.float64), 4).tolist()
    return corners


def _one_of(cutouts: Sequence[Cutout], rng: np.random.Generator) -> Cutout:
    return cutouts[int(rng.integers(len(cutouts)))]
