"""Each fruit of a photo: its box in upright pixels, its grade, and the steps of grading."""

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
from api.core.imaging.decode import NotAnImageError
from api.model.detector import Detection
from api.model.grade import Grade, Instances
from api.model.instances import (
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
    """A predictor for which red is a fresh apple, blue a rotten one, and green out of
    distribution."""
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


def test_several_fruits_are_reported_and_the_whole_photo_is_never_sure(
    predictor: Predictor,
) -> None:
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
    assert grading.steps_left == 0  # Not known before the first step.
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
    # One second for each step and for the postprocessing.
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


def many(count: int) -> Callable[[NDArray[np.uint8]], list[Detection]]:
    return lambda _: [
        Detection(Box(10 + k, 10, 50 + k, 50), 1 - k / 200, "apple") for k in range(count)
    ]
