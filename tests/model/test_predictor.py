import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from api.core.errors import NotAnImageError
from api.core.freshness_levels import LevelThresholds
from api.core.heads import Head
from api.core.imaging.decode import Photograph
from api.model.fake import CHANNELS, FakeBackbone
from api.model.litert import FORWARD_BATCH
from api.model.manifest import DataFingerprint, Manifest
from api.model.predictor import MAX_BATCH, Grade, Predictor, PredictRequest, take_batch
from tests.heads import make_head, make_ood, make_two_heads, save_old_head

CLASSES = ("freshapples", "rottenapples")
# Red speaks for what is fresh, blue for what is not.
WEIGHTS = [[5, 0], [0, 0], [0, 5], [0, 0], [0, 0], [0, 0]]
RED, BLUE = (1, 0, 0, 0, 1, 1), (0, 0, 1, 1, 1, 0)
OOD = make_ood(CHANNELS, np.array([RED, BLUE]) / np.sqrt(3), distance=0.5)


@pytest.fixture
def runtime() -> Predictor:
    """Red is a fresh apple, blue a rotten one, green nothing known."""
    return make_runtime(make_head(WEIGHTS, ood=OOD))


@pytest.fixture
def two_heads() -> Predictor:
    """Red apples are fresh, blue ones rotten; the score of purple is 0.5."""
    head = make_two_heads(np.ones((CHANNELS, 1)), [5, 0, -5, 0, 0, 0], classes=CLASSES)
    return make_runtime(head)


def make_runtime(head: Head, classes: tuple[str, ...] = CLASSES) -> Predictor:
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
    return Predictor(manifest, FakeBackbone(), head)


def png(colour: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(stream, "PNG")
    return stream.getvalue()


def test_a_grade_is_complete(runtime: Predictor) -> None:
    grade = runtime.grade(png("red"))
    assert (grade.class_name, grade.fruit, grade.freshness) == ("freshapples", "apple", "fresh")
    assert grade.recognised
    assert sum(grade.probabilities.values()) == pytest.approx(1)
    assert grade.confidence == max(grade.probabilities.values()) > 0.9
    assert grade.freshness_score == pytest.approx(grade.probabilities["freshapples"])
    assert grade.milliseconds > 0
    assert grade.heatmap is None


def test_rotten_has_a_low_freshness_score(runtime: Predictor) -> None:
    grade = runtime.grade(png("blue"))
    assert grade.freshness == "rotten"
    assert grade.freshness_score is not None
    assert grade.freshness_score < 0.1


def test_a_colour_it_has_never_seen_is_not_recognised(runtime: Predictor) -> None:
    assert not runtime.grade(png("lime")).recognised


def test_explains_when_asked(runtime: Predictor) -> None:
    heatmap = runtime.grade(png("red"), explain=True).heatmap
    assert heatmap is not None
    assert heatmap.startswith("data:image/png;base64,")


def test_bad_bytes_raise_a_problem(runtime: Predictor) -> None:
    with pytest.raises(NotAnImageError):
        runtime.grade(b"hello")


def test_a_few_are_graded_as_one_by_one(runtime: Predictor) -> None:
    [red, blue] = runtime.predict_batch(
        [PredictRequest(png("red")), PredictRequest(png("blue"), explain=True)]
    )
    assert isinstance(red, Grade)
    assert isinstance(blue, Grade)
    assert red.probabilities == runtime.grade(png("red")).probabilities
    assert blue.probabilities == runtime.grade(png("blue")).probabilities
    assert (red.heatmap is None, blue.heatmap is None) == (True, False)


def test_as_many_as_a_turn_holds_are_graded_in_passes(
    runtime: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []

    def counting(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        passes.append(len(pixels))
        return FakeBackbone()(pixels)

    monkeypatch.setattr(runtime, "_backbone", counting)
    colours = ["red", "blue", "purple", "navy", "brown", "orange", "black"]
    grades = runtime.predict_batch(PredictRequest(png(colour)) for colour in colours)
    assert passes == [FORWARD_BATCH, FORWARD_BATCH, FORWARD_BATCH, 1]
    singly = [runtime.grade(png(colour)) for colour in colours]
    for grade, alone in zip(grades, singly, strict=True):
        assert isinstance(grade, Grade)
        assert (grade.probabilities, grade.recognised) == (alone.probabilities, alone.recognised)
        assert grade.features.tolist() == alone.features.tolist()


def test_each_is_taken_when_the_one_before_is_decoded(runtime: Predictor) -> None:
    decoded = []
    pre = runtime.pre

    def noted(data: bytes) -> Photograph:
        decoded.append(data)
        return pre(data)

    def two() -> Iterator[PredictRequest]:
        yield PredictRequest(png("red"))
        assert len(decoded) == 1
        yield PredictRequest(png("blue"))

    runtime.pre = noted  # type: ignore[method-assign]
    assert len(runtime.predict_batch(two())) == 2


def test_a_turn_is_of_a_few_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(take_batch(range(99))) == list(range(MAX_BATCH))
    assert list(take_batch(range(99), most=2)) == [0, 1]
    assert list(take_batch(())) == []
    monkeypatch.setattr("api.model.predictor.TURN_SECONDS", -1)
    assert list(take_batch(range(99))) == [0]


def test_what_is_wrong_with_one_is_no_others(runtime: Predictor) -> None:
    missing = OSError("gone")
    outcomes = runtime.predict_batch(
        [PredictRequest(b"hello"), PredictRequest(png("red")), missing]
    )
    assert isinstance(outcomes[0], NotAnImageError)
    assert isinstance(outcomes[1], Grade)
    assert outcomes[2] is missing
    assert runtime.predict_batch([missing]) == [missing]


def test_a_fault_of_the_graph_is_the_outcome_of_all(
    runtime: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_pixels: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(runtime, "_backbone", fail)
    outcomes = runtime.predict_batch(
        [PredictRequest(png("red")), PredictRequest(b"hello"), PredictRequest(png("blue"))]
    )
    assert [type(one) for one in outcomes] == [RuntimeError, NotAnImageError, RuntimeError]


def test_the_score_of_two_heads_has_three_levels(two_heads: Predictor) -> None:
    grades = [two_heads.grade(png(colour)) for colour in ("red", "purple", "blue")]
    assert [grade.freshness_level for grade in grades] == ["fresh", "past_best", "rotten"]
    assert grades[1].freshness_score == pytest.approx(0.5)
    assert "sound but past its best" in grades[1].interpretation
    assert two_heads.own_thresholds == two_heads.thresholds == LevelThresholds(0.3, 0.7)


def test_a_plain_head_has_two_levels(runtime: Predictor) -> None:
    grades = [runtime.grade(png(colour)) for colour in ("red", "#800081", "#810080", "blue")]
    assert [grade.freshness_level for grade in grades] == ["fresh", "rotten", "fresh", "rotten"]
    assert runtime.own_thresholds == LevelThresholds(0.5, None)


@pytest.mark.parametrize(
    ("classes", "level"),
    [(("apples", "pears"), None), (("pears", "rottenapples"), None), (CLASSES, "fresh")],
)
def test_a_class_that_does_not_speak_of_freshness_has_no_level(
    classes: tuple[str, ...], level: str | None
) -> None:
    runtime = make_runtime(make_head(WEIGHTS), classes)
    assert runtime.grade(png("red")).freshness_level == level
    assert (runtime.own_thresholds is None) == (classes == ("apples", "pears"))


def test_thresholds_that_were_chosen_go_before_the_models_own(two_heads: Predictor) -> None:
    chosen = two_heads.with_thresholds(LevelThresholds(0.2, 0.4))
    assert chosen.grade(png("purple")).freshness_level == "fresh"
    assert two_heads.grade(png("purple")).freshness_level == "past_best"
    assert chosen.with_thresholds(None).thresholds == two_heads.own_thresholds


@pytest.mark.parametrize("channels", [2, CHANNELS])
def test_a_head_of_an_old_package_grades(channels: int, tmp_path: Path) -> None:
    """With an expert for the other channels, or without one."""
    save_old_head(tmp_path / "head.npz", WEIGHTS[:channels], more=CHANNELS - channels)
    runtime = make_runtime(Head.load(tmp_path / "head.npz"))
    grade = runtime.grade(png("red"), explain=True)
    assert (grade.class_name, grade.freshness_level, grade.recognised) == (
        "freshapples",
        "fresh",
        True,
    )
    # The logits are 5 and 0, and the temperature 2.
    assert grade.confidence == pytest.approx(1 / (1 + np.exp(-2.5)), abs=1e-5)
    assert grade.heatmap is not None
    assert grade.features.shape == (CHANNELS,)
