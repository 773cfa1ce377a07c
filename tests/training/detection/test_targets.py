"""The grid that a detector learns, from boxes: the decoder reads the boxes back from it."""

import numpy as np
import pytest
from PIL import Image

from api.model import detector
from api.model.detector import decode_grid
from api.training.detection import targets
from api.training.detection.targets import NO_BOXES, Scene, as_boxes, make_target

IMAGE = Image.new("RGB", (64, 64))
GRID = 16
BOXES = as_boxes([(0.1, 0.1, 0.4, 0.5), (0.5, 0.45, 0.95, 0.98)])


def as_output(target: np.ndarray, fruits: int = 3) -> np.ndarray:
    """The output of a network that has learned the target perfectly."""
    grid = np.zeros((*target.shape[:2], detector.KINDS.start + fruits), np.float32)
    heat = np.clip(target[..., targets.HEAT], 1e-4, 1 - 1e-4)
    grid[..., detector.CENTRE] = np.log(heat / (1 - heat))
    grid[..., detector.DISTANCES] = np.log(np.maximum(target[..., targets.DISTANCES], 1e-4))
    kinds = target[..., targets.KIND].astype(int)
    grid[..., detector.KINDS] = np.eye(fruits)[kinds]
    return grid


def test_decoding_the_target_gives_the_boxes_back() -> None:
    target = make_target(Scene(IMAGE, BOXES, [2, 1], NO_BOXES), GRID)
    found = decode_grid(as_output(target), 0.5, 0.5)
    order = np.argsort(found.boxes[:, 0])
    assert found.boxes[order] == pytest.approx(BOXES, abs=1e-5)
    assert found.fruits[order].tolist() == [2, 1]


def test_each_box_has_one_centre_and_the_same_weight() -> None:
    target = make_target(Scene(IMAGE, BOXES, [0, 1], NO_BOXES), GRID)
    heat = target[..., targets.HEAT]
    assert np.argwhere(heat == 1).tolist() == [[4, 4], [11, 11]]
    for kind in (0, 1):
        inside = (target[..., targets.INSIDE] > 0) & (target[..., targets.KIND] == kind)
        assert target[..., targets.INSIDE][inside].sum() == pytest.approx(1)


def test_everything_counts_as_background_in_a_complete_scene_only() -> None:
    complete = make_target(Scene(IMAGE, BOXES, [0, 1], NO_BOXES), GRID)
    assert (complete[..., targets.CARE] == 1).all()
    partly = make_target(Scene(IMAGE, BOXES, [0, 1], NO_BOXES, complete=False), GRID)
    care = partly[..., targets.CARE]
    # Only in and close to the boxes; elsewhere there may be fruit without a box.
    assert care[3, 3] == care[11, 11] == 1
    assert care[1, 14] == care[14, 1] == 0


def test_ignored_fruit_is_neither_fruit_nor_background() -> None:
    hidden = as_boxes([(0.6, 0.0, 0.9, 0.3)])
    target = make_target(Scene(IMAGE, BOXES, [0, 1], hidden), GRID)
    assert target[2, 12, targets.CARE] == 0
    assert target[2, 12, targets.HEAT] < 0.01
    assert target[2, 7, targets.CARE] == 1


def test_scene_without_fruit_has_no_centre() -> None:
    target = make_target(Scene.empty(IMAGE), GRID)
    assert target[..., targets.HEAT].max() == target[..., targets.INSIDE].max() == 0
    assert (target[..., targets.CARE] == 1).all()


def test_smallest_box_at_the_edge_still_has_a_centre() -> None:
    target = make_target(Scene(IMAGE, as_boxes([(0.999, 0.999, 1, 1)]), [0], NO_BOXES), GRID)
    assert target[GRID - 1, GRID - 1, targets.HEAT] == 1


@pytest.mark.slow
def test_fruit_of_which_only_the_place_is_known_teaches_no_kind() -> None:
    target = make_target(Scene(IMAGE, BOXES, [targets.UNKNOWN, 1], NO_BOXES), GRID)
    inside = target[..., targets.INSIDE] > 0
    of_first = inside & (target[..., targets.KIND] == targets.UNKNOWN)
    assert of_first[4, 4]
    right = as_output(target)
    other = right.copy()
    other[of_first, detector.KINDS] = np.roll(other[of_first, detector.KINDS], 1, axis=-1)
    assert loss(target, other) == loss(target, right)
    other[inside, detector.KINDS] = np.roll(other[inside, detector.KINDS], 1, axis=-1)
    assert loss(target, other) > loss(target, right)


def loss(target: np.ndarray, grid: np.ndarray) -> float:
    from api.training.detection.network import detection_loss  # noqa: PLC0415

    return float(detection_loss(target[None], grid[None]))
