import io
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from api.errors import NotAnImageError
from api.imaging.decode import Photograph
from api.predict.fake import CHANNELS, FakeBackbone
from api.predict.head import Head, Rejection
from api.predict.litert import PASS
from api.predict.runtime import TOGETHER, Asked, Grade, Runtime, turn
from api.registry.manifest import DataFingerprint, Manifest


@pytest.fixture
def runtime() -> Runtime:
    """Red is a fresh apple, blue a rotten one, green nothing known."""
    classes = ("freshapples", "rottenapples")
    weights = np.zeros((CHANNELS, 2), dtype=np.float32)
    weights[0, 0] = weights[2, 1] = 5
    red = (1, 0, 0, 0, 1, 1)
    blue = (0, 0, 1, 1, 1, 0)
    means = np.array([red, blue], dtype=np.float32) / np.sqrt(3).astype(np.float32)
    rejection = Rejection(np.eye(CHANNELS, dtype=np.float32), means, 0.5)
    manifest = Manifest(
        version="v",
        created_at=datetime.now(UTC),
        classes=classes,
        architecture="fake",
        input_size=32,
        feature_shape=(2, 2, CHANNELS),
        parameters=0,
        preprocessing="",
        metrics={},
        thresholds={},
        data=DataFingerprint(files=0, photographs=0, boxed=0, sha256=""),
        recipe={},
        versions={},
        files={},
    )
    head = Head(weights, np.zeros(2, dtype=np.float32), 1.0, rejection)
    return Runtime(manifest, FakeBackbone(), head)


def png(colour: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(stream, "PNG")
    return stream.getvalue()


def test_a_grade_is_complete(runtime: Runtime) -> None:
    grade = runtime.grade(png("red"))
    assert (grade.class_name, grade.fruit, grade.freshness) == ("freshapples", "apple", "fresh")
    assert grade.recognised
    assert sum(grade.probabilities.values()) == pytest.approx(1)
    assert grade.confidence == max(grade.probabilities.values()) > 0.9
    assert grade.freshness_score == pytest.approx(grade.probabilities["freshapples"])
    assert grade.milliseconds > 0
    assert grade.heatmap is None


def test_rotten_has_a_low_freshness_score(runtime: Runtime) -> None:
    grade = runtime.grade(png("blue"))
    assert grade.freshness == "rotten"
    assert grade.freshness_score is not None
    assert grade.freshness_score < 0.1


def test_a_colour_it_has_never_seen_is_not_recognised(runtime: Runtime) -> None:
    assert not runtime.grade(png("lime")).recognised


def test_explains_when_asked(runtime: Runtime) -> None:
    heatmap = runtime.grade(png("red"), explain=True).heatmap
    assert heatmap is not None
    assert heatmap.startswith("data:image/png;base64,")


def test_bad_bytes_raise_a_problem(runtime: Runtime) -> None:
    with pytest.raises(NotAnImageError):
        runtime.grade(b"hello")


def test_a_few_are_graded_as_one_by_one(runtime: Runtime) -> None:
    [red, blue] = runtime.grade_each([Asked(png("red")), Asked(png("blue"), explain=True)])
    assert isinstance(red, Grade)
    assert isinstance(blue, Grade)
    assert red.probabilities == runtime.grade(png("red")).probabilities
    assert blue.probabilities == runtime.grade(png("blue")).probabilities
    assert (red.heatmap is None, blue.heatmap is None) == (True, False)


def test_as_many_as_a_turn_holds_are_graded_in_passes(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []

    def counting(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        passes.append(len(pixels))
        return FakeBackbone()(pixels)

    monkeypatch.setattr(runtime, "_backbone", counting)
    colours = ["red", "blue", "purple", "navy", "brown", "orange", "black"]
    grades = runtime.grade_each(Asked(png(colour)) for colour in colours)
    assert passes == [PASS, PASS, PASS, 1]
    singly = [runtime.grade(png(colour)) for colour in colours]
    for grade, alone in zip(grades, singly, strict=True):
        assert isinstance(grade, Grade)
        assert (grade.probabilities, grade.recognised) == (alone.probabilities, alone.recognised)
        assert grade.features.tolist() == alone.features.tolist()


def test_each_is_taken_when_the_one_before_is_decoded(runtime: Runtime) -> None:
    decoded = []
    pre = runtime.pre

    def noted(data: bytes) -> Photograph:
        decoded.append(data)
        return pre(data)

    def two() -> Iterator[Asked]:
        yield Asked(png("red"))
        assert len(decoded) == 1
        yield Asked(png("blue"))

    runtime.pre = noted  # type: ignore[method-assign]
    assert len(runtime.grade_each(two())) == 2


def test_a_turn_is_of_a_few_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(turn(range(99))) == list(range(TOGETHER))
    assert list(turn(range(99), most=2)) == [0, 1]
    assert list(turn(())) == []
    monkeypatch.setattr("api.predict.runtime.TURN_SECONDS", -1)
    assert list(turn(range(99))) == [0]


def test_what_is_wrong_with_one_is_no_others(runtime: Runtime) -> None:
    missing = OSError("gone")
    outcomes = runtime.grade_each([Asked(b"hello"), Asked(png("red")), missing])
    assert isinstance(outcomes[0], NotAnImageError)
    assert isinstance(outcomes[1], Grade)
    assert outcomes[2] is missing
    assert runtime.grade_each([missing]) == [missing]


def test_a_fault_of_the_graph_is_the_outcome_of_all(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_pixels: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(runtime, "_backbone", fail)
    outcomes = runtime.grade_each([Asked(png("red")), Asked(b"hello"), Asked(png("blue"))])
    assert [type(one) for one in outcomes] == [RuntimeError, NotAnImageError, RuntimeError]
