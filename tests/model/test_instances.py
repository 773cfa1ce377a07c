"""Each fruit of a photo: its box in upright pixels, its grade, and the steps of the work."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from api.core.boxes import Box
from api.core.imaging.crop import crop_around
from api.core.imaging.decode import DRAFT_SIDE, NotAnImageError
from api.model.detector import Detection
from api.model.grade import Grade, Instances
from api.model.instances import (
    MAX_DETAIL_PIXELS,
    MAX_INSTANCES,
    STEP,
    InstanceGrading,
    NoDetectorError,
    grade_instances,
)
from api.model.package import load_package
from api.model.predictor import Predictor, PredictRequest
from api.settings import PROJECT
from tests.detectors import find_blobs
from tests.heads import make_head
from tests.model.test_predictor import OOD, WEIGHTS, make_predictor
from tests.synthetic_images import encode

RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 255, 0)
Piece = tuple[tuple[int, int, int, int], tuple[int, int, int]]


@pytest.fixture
def predictor() -> Predictor:
    """Red is a fresh apple, blue a rotten one, green is out of distribution."""
    predictor = make_predictor(make_head(WEIGHTS, ood=OOD))
    predictor.detector = find_blobs
    return predictor


def scene(*pieces: Piece, size: tuple[int, int] = (120, 90)) -> Image.Image:
    """Rectangles of one colour on white."""
    image = Image.new("RGB", size, "white")
    for box, colour in pieces:
        image.paste(colour, box)
    return image


def grade(predictor: Predictor, data: bytes, **options: Any) -> Grade:
    [result] = grade_instances(predictor, [PredictRequest(data, instances=True, **options)])
    assert isinstance(result, Grade), result
    return result


def found(predictor: Predictor, image: Image.Image, **options: Any) -> Instances:
    instances = grade(predictor, encode(image, **options)).instances
    assert instances is not None
    return instances


TRAY = scene(((10, 10, 50, 50), RED), ((70, 20, 100, 50), BLUE), ((20, 60, 40, 80), GREEN))


def test_each_fruit_has_its_box_and_its_grade(predictor: Predictor) -> None:
    instances = found(predictor, TRAY)
    assert (instances.width, instances.height, instances.ungraded) == (120, 90, 0)
    assert [tuple(fruit.box) for fruit in instances.fruits] == [
        (10, 10, 50, 50),
        (70, 20, 100, 50),
        (20, 60, 40, 80),
    ]
    grades = [fruit.grade for fruit in instances.fruits]
    assert [one.freshness for one in grades[:2]] == ["fresh", "rotten"]
    assert [one.recognised for one in grades] == [True, True, False]
    scores = [fruit.score for fruit in instances.fruits]
    assert scores == sorted(scores, reverse=True)


def test_fruit_is_graded_as_its_crop_would_be(predictor: Predictor) -> None:
    for fruit in found(predictor, TRAY).fruits:
        alone = predictor.predict(encode(crop_around(TRAY, fruit.box)))
        assert fruit.grade.probabilities == alone.probabilities
        assert fruit.grade.freshness_score == alone.freshness_score


def test_grade_of_the_photo_is_that_without_instances(predictor: Predictor) -> None:
    data = encode(TRAY, "JPEG")
    whole, plain = grade(predictor, data, explain=True), predictor.predict(data, explain=True)
    assert whole.probabilities == plain.probabilities
    assert whole.features.tolist() == plain.features.tolist()
    assert whole.heatmap == plain.heatmap is not None
    assert plain.instances is None


def test_several_fruits_are_said_and_the_whole_is_never_sure(predictor: Predictor) -> None:
    two = scene(((10, 10, 50, 50), RED), ((70, 20, 100, 50), BLUE))
    assert grade(predictor, encode(two)).interpretation == (
        "This photo shows 2 fruits: 1 fresh, 1 rotten. The grade of the whole photo speaks for "
        "none of them alone."
    )
    assert "1 not recognised" in grade(predictor, encode(TRAY)).interpretation


@pytest.mark.parametrize("pieces", [(), (((10, 10, 80, 80), RED),)], ids=["none", "one"])
def test_one_fruit_or_none_changes_no_words(predictor: Predictor, pieces: tuple[Piece]) -> None:
    data = encode(scene(*pieces))
    result = grade(predictor, data)
    assert result.interpretation == predictor.predict(data).interpretation
    assert result.instances is not None
    assert len(result.instances.fruits) == len(pieces)
    assert not result.instances.several


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_boxes_of_a_turned_photo_are_upright(predictor: Predictor, orientation: int) -> None:
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
    back[8] = Image.Transpose.ROTATE_270
    stored = TRAY.transpose(back[orientation]) if orientation in back else TRAY
    exif = Image.Exif()
    exif[0x0112] = orientation
    instances = found(predictor, stored, exif=exif)
    assert (instances.width, instances.height) == TRAY.size
    assert tuple(instances.fruits[0].box) == (10, 10, 50, 50)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_boxes_of_a_reduced_photo_are_in_its_own_pixels(
    predictor: Predictor, file_format: str
) -> None:
    size = (2400, 1800)
    red, blue = (200, 200, 1000, 1000), (1400, 400, 2000, 1000)
    instances = found(predictor, scene((red, RED), (blue, BLUE), size=size), format=file_format)
    assert (instances.width, instances.height) == size
    assert [tuple(fruit.box) for fruit in instances.fruits] == [
        pytest.approx(red, abs=4),
        pytest.approx(blue, abs=4),
    ]


def record_decodes(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The `min_side` of each decoding from now on."""
    sides: list[int] = []
    decode = predictor.decode

    def recording(data: bytes, min_side: int = DRAFT_SIDE) -> Any:
        sides.append(min_side)
        return decode(data, min_side)

    monkeypatch.setattr(predictor, "decode", recording)
    return sides


def test_small_fruit_of_a_large_photo_is_cut_from_its_own_pixels(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Narrow stripes are seen as stripes, and not as their mean."""
    size, box = (2400, 1800), (1000, 800, 1032, 832)
    image = scene((box, BLUE), size=size)
    sides = record_decodes(predictor, monkeypatch)
    pictures = record_pictures(predictor, monkeypatch)
    image.paste(Image.fromarray(stripes(32)), box[:2])
    predictor.detector = lambda pixels: [at(pixels, size, box)]
    assert len(found(predictor, image).fruits) == 1
    assert sides == [DRAFT_SIDE, 1800]
    fruit = pictures[1][8:-8, 8:-8].astype(float)
    assert np.abs(np.diff(fruit[..., 0], axis=1)).mean() > 60


def test_photo_is_decoded_once_where_that_is_enough(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = record_decodes(predictor, monkeypatch)
    found(predictor, TRAY)
    found(predictor, scene(((200, 200, 1500, 1500), RED), size=(2400, 1800)))
    found(predictor, scene(size=(2400, 1800)))
    assert sides == [DRAFT_SIDE] * 3


def test_detail_of_a_huge_photo_is_bounded(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, box = (7000, 4000), (3000, 3000, 3020, 3020)
    predictor.detector = lambda pixels: [at(pixels, size, box)]
    sides = record_decodes(predictor, monkeypatch)
    assert tuple(found(predictor, scene(size=size), format="JPEG").fruits[0].box) == box
    assert sides[0] == DRAFT_SIDE
    assert sides[1] == 2000
    assert 7000 * 4000 > MAX_DETAIL_PIXELS > 3500 * 2000


@pytest.mark.parametrize(
    "image",
    [
        Image.new("L", (90, 60), 128),
        Image.new("RGBA", (90, 60), (255, 0, 0, 0)),
        Image.new("LA", (90, 60), (0, 255)),
        Image.new("1", (90, 60)),
        Image.new("I;16", (90, 60), 9000),
        Image.new("RGB", (1, 1), RED),
        Image.new("RGB", (3000, 1), RED),
        Image.new("RGB", (2, 5000), RED),
    ],
    ids=["grey", "transparent", "grey and alpha", "bits", "16 bits", "a pixel", "wide", "high"],
)
@pytest.mark.parametrize("detector", ["blobs", "corners"])
def test_boxes_of_odd_pictures_lie_inside(
    predictor: Predictor, image: Image.Image, detector: str
) -> None:
    if detector == "corners":
        predictor.detector = hairs_at_the_corners
    instances = found(predictor, image)
    assert (instances.width, instances.height) == image.size
    assert detector == "blobs" or len(instances.fruits) == 4
    for fruit in instances.fruits:
        assert 0 <= fruit.box.x_min < fruit.box.x_max <= image.width
        assert 0 <= fruit.box.y_min < fruit.box.y_max <= image.height
        assert all(isinstance(corner, int) for corner in fruit.box)


def test_only_the_best_of_very_many_are_graded(predictor: Predictor) -> None:
    extra = 7
    predictor.detector = many(MAX_INSTANCES + extra)
    result = grade(predictor, encode(TRAY))
    assert result.instances is not None
    assert len(result.instances.fruits) == MAX_INSTANCES
    assert result.instances.ungraded == extra
    assert result.instances.fruits[0].score == 1
    assert result.interpretation.startswith(f"This photo shows {MAX_INSTANCES + extra} fruits: ")
    assert f"{extra} of them are not graded" in result.interpretation


def test_a_step_grades_few_pictures(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor.detector = many(2 * STEP)
    forward, passes = predictor.forward, []

    def counting(inputs: list[Image.Image]) -> Any:
        passes.append(len(inputs))
        return forward(inputs)

    monkeypatch.setattr(predictor, "forward", counting)
    grading = InstanceGrading(predictor, PredictRequest(encode(TRAY), instances=True))
    assert grading.steps_left == 0  # Nobody knows yet.
    left = []
    while (result := grading.step()) is None:
        left.append(grading.steps_left)
    assert passes == [STEP, STEP, 1]
    assert left == [2, 1, 0]
    assert result.instances is not None
    assert len(result.instances.fruits) == 2 * STEP


def test_time_is_that_of_all_steps(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = count()
    grading = InstanceGrading(predictor, PredictRequest(encode(TRAY), instances=True))
    monkeypatch.setattr("time.perf_counter", lambda: next(seconds))
    steps = 1
    while (result := grading.try_step()) is None:
        steps += 1
    assert isinstance(result, Grade)
    # A second for each, and for the postprocessing.
    assert result.milliseconds == pytest.approx(1000 * (steps + 1))


def test_model_without_a_detector_says_what_to_do(predictor: Predictor) -> None:
    predictor.detector = None
    [error] = grade_instances(predictor, [PredictRequest(encode(TRAY), instances=True)])
    assert isinstance(error, NoDetectorError)
    assert (error.status, error.code) == (409, "no-detector")


def test_package_with_a_damaged_detector_does_not_serve() -> None:
    package = load_package(PROJECT / "models" / "default")
    assert Predictor.of_package(package).detector is not None
    with pytest.raises(ValueError, match=r"detector of version .* is not fit to serve"):
        Predictor.of_package(replace(package, detector=b"no graph"))


def test_bad_file_affects_no_other(predictor: Predictor) -> None:
    good = PredictRequest(encode(TRAY), instances=True)
    refused = OSError()
    results = grade_instances(
        predictor, [good, PredictRequest(b"words", instances=True), refused, good]
    )
    assert isinstance(results[1], NotAnImageError)
    assert results[2] is refused
    first, last = results[0], results[3]
    assert isinstance(first, Grade)
    assert isinstance(last, Grade)
    assert first.instances == last.instances is not None


def record_pictures(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> list[NDArray[np.uint8]]:
    """The network's inputs from now on."""
    pictures: list[NDArray[np.uint8]] = []
    forward = predictor.forward

    def recording(inputs: list[Image.Image]) -> Any:
        pictures.extend(np.asarray(image) for image in inputs)
        return forward(inputs)

    monkeypatch.setattr(predictor, "forward", recording)
    return pictures


def stripes(side: int) -> NDArray[np.uint8]:
    """Columns of red and blue, two pixels wide."""
    pixels = np.zeros((side, side, 3), np.uint8)
    pixels[..., 0] = 255 * (np.arange(side) // 2 % 2)
    pixels[..., 2] = 255 - pixels[..., 0]
    return pixels


def at(
    pixels: NDArray[np.uint8], size: tuple[int, int], box: tuple[int, int, int, int]
) -> Detection:
    """`box` in pixels of a photo of `size`, found in its reduced picture."""
    across, down = pixels.shape[1] / size[0], pixels.shape[0] / size[1]
    corners = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
    return Detection(Box(*corners), 0.9, "apple")


def hairs_at_the_corners(pixels: NDArray[np.uint8]) -> list[Detection]:
    """Boxes without an area, in the corners of the picture."""
    height, width = pixels.shape[:2]
    return [
        Detection(Box(x, y, x, y), 0.5, "apple") for x in (0.0, float(width)) for y in (0.0, height)
    ]


def many(count: int) -> Callable[[NDArray[np.uint8]], list[Detection]]:
    return lambda _: [
        Detection(Box(10 + k, 10, 50 + k, 50), 1 - k / 200, "apple") for k in range(count)
    ]
