"""Comparing two detectors on the same pictures: what counts as right, by group, fruit and photo."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from api.core.arrays import FloatArray
from api.core.boxes import Box as PixelBox
from api.evaluation.compare_detectors import (
    Picture,
    compare_detectors,
    held_out_pictures,
    is_right,
)
from api.evaluation.detection import FruitGrader, find, worst_misses
from api.evaluation.detection_metrics import FoundBoxes
from api.model.detector import Detector, RawDetections
from api.training.detection.cutouts import Cutout
from api.training.detection.sampler import Material
from api.training.detection.targets import NO_BOXES, Scene, as_boxes
from api.training.frames import Frame, FrameBox

LEFT, RIGHT = (0.0, 0.0, 0.4, 0.4), (0.6, 0.0, 1.0, 0.4)
FRUITS = ("apple", "banana")
IMAGE = Image.new("RGB", (40, 40))


class Finder:
    """A detector that finds the same boxes in any picture."""

    def __init__(self, *found: tuple[tuple[float, ...], int]) -> None:
        self.manifest = type("Manifest", (), {"score_threshold": 0.5, "fruits": FRUITS})
        self._found = found

    def detect(self, _pixels: Any, _threshold: float) -> RawDetections:
        boxes = as_boxes([box for box, _ in self._found])
        kinds = np.array([kind for _, kind in self._found], np.int64)
        return RawDetections(boxes, np.full(len(boxes), 0.9, np.float32), kinds)


class AllRotten:
    def grade(self, _image: Image.Image, boxes: FloatArray) -> list[Any]:
        return [type("Grade", (), {"freshness": "rotten"}) for _ in boxes]


def compare(champion: Finder, candidate: Finder, *pictures: Picture) -> Any:
    return compare_detectors(
        cast("Detector", champion),
        cast("Detector", candidate),
        pictures,
        cast("FruitGrader", AllRotten()),
    )


def a_scene(*kinds: int, complete: bool = True) -> Scene:
    return Scene(IMAGE, as_boxes([LEFT, RIGHT][: len(kinds)]), kinds, NO_BOXES, complete)


@pytest.mark.parametrize(
    ("found", "scene", "right"),
    [
        ([(LEFT, 0), (RIGHT, 1)], a_scene(0, 1), True),
        ([(LEFT, 0), (RIGHT, 0)], a_scene(0, 1), False),
        ([(LEFT, 0), (RIGHT, 0)], a_scene(0, -1), True),
        ([(LEFT, 0)], a_scene(0, 1), False),
        ([(LEFT, 0), (RIGHT, 1)], a_scene(0), False),
        ([(LEFT, 0), (RIGHT, 1)], a_scene(0, complete=False), True),
    ],
)
def test_picture_is_right_if_all_is_found_named_and_nothing_else(
    found: list[tuple[tuple[float, ...], int]], scene: Scene, right: bool
) -> None:
    photo = FoundBoxes(
        as_boxes([box for box, _ in found]),
        np.full(len(found), 0.9, np.float32),
        np.array([kind for _, kind in found]),
        scene.boxes,
        np.array(scene.kinds),
        scene.complete,
    )
    assert is_right(photo) is right


def test_counts_by_group_and_by_fruit() -> None:
    champion, candidate = Finder((LEFT, 0)), Finder((LEFT, 0), (RIGHT, 1))
    comparison = compare(
        champion,
        candidate,
        Picture("boxed photos from shop", lambda: a_scene(0, 1), ["rotten", "fresh"]),
        Picture("boxed photos from shop", lambda: a_scene(0), ["rotten"]),
        Picture.of("photos of one fruit", a_scene(0)),
    )
    assert (comparison.photographs, comparison.boxes) == (2, 3)
    shop = comparison.groups["boxed photos from shop"]
    assert (shop.photographs, shop.champion_right, shop.won, shop.lost) == (2, 1, 1, 1)
    assert comparison.groups["photos of one fruit"].lost == 1
    assert comparison.overall.photographs == 3
    apple, banana = comparison.fruits["apple"], comparison.fruits["banana"]
    assert (apple.photographs, apple.champion_right, apple.lost) == (2, 2, 0)
    assert (banana.photographs, banana.champion_right, banana.won) == (1, 0, 1)
    assert comparison.recall.champion == pytest.approx(2 / 3)
    assert comparison.recall.candidate == 1
    assert comparison.average_precision["banana"].champion == 0
    # The candidate also finds the sound one, which this grader calls rotten.
    assert (comparison.grades.champion_right, comparison.grades.lost) == (2, 1)


def test_all_fruits_of_a_kind_must_be_found() -> None:
    one, both = Finder((LEFT, 0)), Finder((LEFT, 0), (RIGHT, 0))
    two_apples = Picture("shop", lambda: a_scene(0, 0), [None, None])
    apple = compare(one, both, two_apples).fruits["apple"]
    assert (apple.photographs, apple.champion_right, apple.won) == (1, 0, 1)


def test_worst_misses_come_first() -> None:
    names = [f"{k}.png" for k in range(4)]
    boxes = (FrameBox(PixelBox(0, 0, 9, 9), "apple", None),)
    frames = [Frame(Path(name), name, "shop", "test", boxes, complete=True) for name in names]
    # One is in the catalog, which has its picture.
    frames[1] = replace(frames[1], source="catalog", sha256="ab")
    nothing, surplus = Finder(), Finder((LEFT, 0), (RIGHT, 1))
    photos = [
        find(cast("Detector", finder), scene)
        for finder, scene in (
            (Finder((LEFT, 0)), a_scene(0)),
            (surplus, a_scene(0)),
            (nothing, a_scene(0, 1)),
            (surplus, a_scene(0, complete=False)),
        )
    ]
    assert worst_misses(frames, photos, 0.5) == [
        {"file": "2.png", "source": "shop", "fruits": 2, "missed": 2, "surplus": 0},
        {
            "file": "1.png",
            "source": "catalog",
            "fruits": 1,
            "missed": 0,
            "surplus": 1,
            "sha256": "ab",
            "missed_boxes": [],
            "surplus_boxes": [pytest.approx(RIGHT)],
        },
    ]


def test_without_boxed_photos_there_are_still_pictures() -> None:
    comparison = compare(Finder(), Finder(), Picture.of("photos of one fruit", a_scene(0)))
    assert (comparison.photographs, comparison.overall.photographs) == (0, 1)
    assert comparison.recall is None
    assert not comparison.fruits


@pytest.mark.slow
def test_same_pictures_each_time() -> None:
    disc = Cutout(Image.new("RGBA", (30, 30), "red"), 0, rotten=False)
    material = Material(FRUITS, single=[a_scene(0)] * 130, cutouts=[disc])
    first, second = (held_out_pictures([], material) for _ in range(2))
    assert {picture.group for picture in first} == {"photos of one fruit", "composed scenes"}
    assert len([1 for picture in first if picture.group == "photos of one fruit"]) == 120
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(np.asarray(one.read().image), np.asarray(other.read().image))
