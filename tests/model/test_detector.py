"""Decoding a detector's grid, on hand-made grids, and the shipped detector."""

from dataclasses import replace

import numpy as np
import pytest

from api.core.errors import NotFiniteError
from api.model.detector import (
    CENTRE,
    DISTANCES,
    KINDS,
    Detector,
    decode_grid,
    mirror_grid,
    probe_detector,
)
from api.model.engines.litert import LiteRTBackbone
from api.model.package import Package, load_package
from api.settings import PROJECT
from tests.registry.samples import a_detector_manifest
from tests.synthetic_images import draw_fruit

FRUITS = ("apple", "banana", "orange")


@pytest.fixture(scope="module")
def package() -> Package:
    return load_package(PROJECT / "models" / "default")


def empty_grid(height: int = 4, width: int = 8) -> np.ndarray:
    """No fruit anywhere: every score is about 0.0003."""
    grid = np.zeros((height, width, KINDS.start + len(FRUITS)), np.float32)
    grid[..., CENTRE] = -8
    return grid


def put(
    grid: np.ndarray, cell: tuple[int, int], score: float, distances: tuple[float, ...], fruit: str
) -> None:
    """Put a fruit with its centre in `cell` (row, column) and its edges at `distances`."""
    grid[cell][CENTRE] = np.log(score / (1 - score))
    grid[cell][DISTANCES] = np.log(distances)
    grid[cell][KINDS] = [3.0 * (name == fruit) for name in FRUITS]


def test_an_empty_grid_has_no_boxes() -> None:
    found = decode_grid(empty_grid(), 0.3, 0.5)
    assert [found.boxes.shape, found.scores.shape, found.fruits.shape] == [(0, 4), (0,), (0,)]


def test_edges_lie_where_the_cell_says() -> None:
    grid = empty_grid()
    put(grid, (1, 2), 0.8, (0.1, 0.2, 0.3, 0.4), "banana")
    found = decode_grid(grid, 0.3, 0.5)
    # The cell's centre is at 2.5 of 8 across and 1.5 of 4 down.
    assert found.boxes[0] == pytest.approx([0.2125, 0.175, 0.6125, 0.775])
    assert found.scores == pytest.approx([0.8])
    assert found.fruits.tolist() == [1]


def test_only_peaks_over_the_threshold_count_best_first() -> None:
    grid = empty_grid()
    put(grid, (0, 0), 0.5, (0.05,) * 4, "apple")
    put(grid, (0, 1), 0.4, (0.05,) * 4, "apple")  # Next to a better one.
    put(grid, (0, 4), 0.9, (0.05,) * 4, "orange")
    put(grid, (3, 7), 0.2, (0.05,) * 4, "banana")
    found = decode_grid(grid, 0.3, 0.5)
    assert found.scores == pytest.approx([0.9, 0.5])
    assert [FRUITS[k] for k in found.fruits] == ["orange", "apple"]
    assert decode_grid(grid, 0.1, 0.5).scores == pytest.approx([0.9, 0.5, 0.2])


def test_two_peaks_on_one_fruit_give_one_box() -> None:
    grid = empty_grid()
    put(grid, (2, 2), 0.9, (0.3,) * 4, "apple")
    put(grid, (2, 4), 0.8, (0.4, 0.3, 0.2, 0.3), "apple")
    assert len(decode_grid(grid, 0.3, 0.5).boxes) == 1
    assert len(decode_grid(grid, 0.3, 0.9).boxes) == 2


def test_boxes_end_at_the_edge_of_the_picture() -> None:
    grid = empty_grid()
    put(grid, (0, 0), 0.9, (0.5, 0.5, 0.2, 50), "apple")
    [box] = decode_grid(grid, 0.3, 0.5).boxes
    assert box == pytest.approx([0, 0, 0.2625, 1])


def test_mirrored_grid_has_the_mirrored_boxes() -> None:
    grid = empty_grid()
    put(grid, (1, 2), 0.8, (0.1, 0.2, 0.3, 0.4), "banana")
    before, after = (decode_grid(each, 0.3, 0.5) for each in (grid, mirror_grid(grid)))
    left, top, right, bottom = before.boxes[0]
    assert after.boxes[0] == pytest.approx([1 - right, top, 1 - left, bottom])
    assert (after.scores, after.fruits) == (before.scores, before.fruits)


def test_a_picture_and_its_mirror_image_have_mirrored_boxes(package: Package) -> None:
    detector = Detector.of_package(package)
    assert detector is not None
    image = np.asarray(draw_fruit("freshapples", seed=3, size=224).resize((448, 224)))
    before, after = (detector.detect(each, 0.05) for each in (image, image[:, ::-1].copy()))
    assert len(before.boxes) == len(after.boxes) > 0
    assert after.boxes[0][[0, 2]] == pytest.approx(1 - before.boxes[0][[2, 0]], abs=0.02)
    assert after.scores[0] == pytest.approx(before.scores[0], abs=0.02)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_grid_that_is_not_finite_is_refused(value: float) -> None:
    def network(pixels: np.ndarray) -> np.ndarray:
        return np.full((len(pixels), 4, 4, 8), value, np.float32)

    with pytest.raises(ValueError, match="output is not finite"):
        probe_detector(network, a_detector_manifest())


def test_nan_in_a_cell_does_not_count_as_no_fruit() -> None:
    grid = empty_grid()
    grid[1, 2][CENTRE] = np.nan
    with pytest.raises(NotFiniteError):
        decode_grid(grid, 0.3, 0.5)


def test_grid_for_other_fruits_is_refused() -> None:
    def network(pixels: np.ndarray) -> np.ndarray:
        return np.zeros((len(pixels), 4, 4, 9), np.float32)

    with pytest.raises(ValueError, match="for 3 fruits"):
        probe_detector(network, a_detector_manifest())


def test_the_shipped_detector_fits_its_manifest(package: Package) -> None:
    detector = Detector.of_package(package)
    assert detector is not None
    assert detector.manifest.fruits == FRUITS
    assert detector.manifest.probe
    size = detector.manifest.input_size
    noise = np.random.default_rng(0).integers(0, 256, (size, 2 * size, 3), dtype=np.uint8)
    for found in detector(noise):
        assert 0 <= found.box.x_min < found.box.x_max <= 2 * size
        assert 0 <= found.box.y_min < found.box.y_max <= size


def test_detector_takes_no_memory_until_it_is_used(package: Package) -> None:
    detector = Detector.of_package(package)
    assert detector is not None
    assert isinstance(detector._network, LiteRTBackbone)
    assert not detector._network._idle
    detector(np.zeros((8, 8, 3), np.uint8))
    assert len(detector._network._idle) == 1


def test_package_without_a_detector_has_none(package: Package) -> None:
    without = package.manifest.model_copy(update={"detector": None})
    assert Detector.of_package(replace(package, manifest=without, detector=None)) is None


def test_detector_that_finds_other_boxes_in_the_probe_is_refused(package: Package) -> None:
    detector = package.manifest.detector
    assert detector is not None
    assert detector.probe is not None
    probe = [1 - score if score < 0.5 else score - 0.5 for score in detector.probe]
    changed = detector.model_copy(update={"probe": probe})
    manifest = package.manifest.model_copy(update={"detector": changed})
    with pytest.raises(ValueError, match=r"not fit to serve.*scores differently"):
        Detector.of_package(replace(package, manifest=manifest))


def test_graph_of_another_kind_is_refused(package: Package) -> None:
    with pytest.raises(ValueError, match="not fit to serve"):
        Detector.of_package(replace(package, detector=b"no graph"))
