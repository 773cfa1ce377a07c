import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from api.core.freshness_levels import LevelThresholds
from api.core.heads import Head
from api.core.imaging.decode import DRAFT_SIDE, DecodedImage, NotAnImageError
from api.core.several import SeveralFruits
from api.model.engines.litert import FORWARD_BATCH
from api.model.grade import Grade
from api.model.manifest import DataFingerprint, Manifest
from api.model.package import load_package
from api.model.predictor import MAX_BATCH, Predictor, PredictRequest, take_batch
from api.settings import PROJECT
from tests.heads import make_head, make_ood, make_two_heads, save_old_head
from tests.synthetic_images import encode

CHANNELS = 6
CLASSES = ("freshapples", "rottenapples")
# Red is evidence for fresh, blue for rotten.
WEIGHTS = [[5, 0], [0, 0], [0, 5], [0, 0], [0, 0], [0, 0]]
RED, BLUE = (1, 0, 0, 0, 1, 1), (0, 0, 1, 1, 1, 0)
OOD = make_ood(CHANNELS, np.array([RED, BLUE]) / np.sqrt(3), distance=0.5)


def colour_backbone(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Stands in for a network: uint8 [n, size, size, 3] to float32 [n, 2, 2, 6], the mean red,
    green and blue of each quarter, 0..1, and their complements.
    """
    half = pixels.shape[1] // 2
    quarters = pixels[:, : half * 2, : half * 2].reshape(-1, 2, half, 2, half, 3)
    colour = quarters.mean(axis=(2, 4), dtype=np.float32) / np.float32(255)
    return np.concatenate([colour, 1 - colour], axis=-1)


@pytest.fixture
def predictor() -> Predictor:
    """A predictor for which red is a fresh apple, blue a rotten one, and green out of
    distribution."""
    return make_predictor(make_head(WEIGHTS, ood=OOD))


@pytest.fixture
def two_heads() -> Predictor:
    """A predictor for which red apples are fresh, blue ones rotten; purple has a score of 0.5."""
    head = make_two_heads(np.ones((CHANNELS, 1)), [5, 0, -5, 0, 0, 0], classes=CLASSES)
    return make_predictor(head)


def make_predictor(head: Head, classes: tuple[str, ...] = CLASSES) -> Predictor:
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
    return Predictor(manifest, colour_backbone, head)


def png(colour: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(stream, "PNG")
    return stream.getvalue()


def test_grade_has_every_field(predictor: Predictor) -> None:
    grade = predictor.predict(png("red"))
    assert (grade.class_name, grade.fruit, grade.freshness) == ("freshapples", "apple", "fresh")
    assert grade.recognised
    assert sum(grade.probabilities.values()) == pytest.approx(1)
    assert grade.confidence == max(grade.probabilities.values()) > 0.9
    assert grade.freshness_score == pytest.approx(grade.probabilities["freshapples"])
    assert grade.milliseconds > 0
    assert grade.heatmap is None


def test_rotten_has_a_low_freshness_score(predictor: Predictor) -> None:
    grade = predictor.predict(png("blue"))
    assert grade.freshness == "rotten"
    assert grade.freshness_score is not None
    assert grade.freshness_score < 0.1


def test_ood_colour_is_not_recognised(predictor: Predictor) -> None:
    assert not predictor.predict(png("lime")).recognised


def test_heat_map_is_made_on_request(predictor: Predictor) -> None:
    heatmap = predictor.predict(png("red"), explain=True).heatmap
    assert heatmap is not None
    assert heatmap.startswith("data:image/png;base64,")


def test_undecodable_bytes_raise_a_problem(predictor: Predictor) -> None:
    with pytest.raises(NotAnImageError):
        predictor.predict(b"hello")


def test_batch_gives_the_same_grades_as_single_images(predictor: Predictor) -> None:
    [red, blue] = predictor.predict_batch(
        [PredictRequest(png("red")), PredictRequest(png("blue"), explain=True)]
    )
    assert isinstance(red, Grade)
    assert isinstance(blue, Grade)
    assert red.probabilities == predictor.predict(png("red")).probabilities
    assert blue.probabilities == predictor.predict(png("blue")).probabilities
    assert (red.heatmap is None, blue.heatmap is None) == (True, False)


def test_batch_is_split_into_forward_passes(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []

    def counting(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        passes.append(len(pixels))
        return colour_backbone(pixels)

    monkeypatch.setattr(predictor, "_backbone", counting)
    colours = ["red", "blue", "purple", "navy", "brown", "orange", "black"]
    grades = predictor.predict_batch(PredictRequest(png(colour)) for colour in colours)
    assert passes == [FORWARD_BATCH, FORWARD_BATCH, FORWARD_BATCH, 1]
    singly = [predictor.predict(png(colour)) for colour in colours]
    for grade, alone in zip(grades, singly, strict=True):
        assert isinstance(grade, Grade)
        assert (grade.probabilities, grade.recognised) == (alone.probabilities, alone.recognised)
        assert grade.features.tolist() == alone.features.tolist()


def test_requests_are_consumed_one_by_one(predictor: Predictor) -> None:
    decoded = []
    decode = predictor.decode

    def record_and_decode(data: bytes, min_side: int = DRAFT_SIDE) -> DecodedImage:
        decoded.append(data)
        return decode(data, min_side)

    def two() -> Iterator[PredictRequest]:
        yield PredictRequest(png("red"))
        assert len(decoded) == 1
        yield PredictRequest(png("blue"))

    predictor.decode = record_and_decode  # type: ignore[method-assign]
    assert len(predictor.predict_batch(two())) == 2


def test_batch_is_bounded_in_size_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(take_batch(range(99))) == list(range(MAX_BATCH))
    assert list(take_batch(range(99), most=2)) == [0, 1]
    assert list(take_batch(())) == []
    monkeypatch.setattr("api.model.predictor.MAX_BATCH_SECONDS", -1)
    assert list(take_batch(range(99))) == [0]


def test_failing_request_does_not_affect_its_batch(predictor: Predictor) -> None:
    missing = OSError("gone")
    outcomes = predictor.predict_batch(
        [PredictRequest(b"hello"), PredictRequest(png("red")), missing]
    )
    assert isinstance(outcomes[0], NotAnImageError)
    assert isinstance(outcomes[1], Grade)
    assert outcomes[2] is missing
    assert predictor.predict_batch([missing]) == [missing]


def test_failed_forward_pass_fails_the_whole_batch(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_pixels: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(predictor, "_backbone", fail)
    outcomes = predictor.predict_batch(
        [PredictRequest(png("red")), PredictRequest(b"hello"), PredictRequest(png("blue"))]
    )
    assert [type(one) for one in outcomes] == [RuntimeError, NotAnImageError, RuntimeError]
    assert outcomes[0] is not outcomes[2]


def test_two_heads_have_three_levels(two_heads: Predictor) -> None:
    grades = [two_heads.predict(png(colour)) for colour in ("red", "purple", "blue")]
    assert [grade.freshness_level for grade in grades] == ["fresh", "past_best", "rotten"]
    assert grades[1].freshness_score == pytest.approx(0.5)
    assert "sound but past its best" in grades[1].interpretation
    assert two_heads.own_thresholds == two_heads.thresholds == LevelThresholds(0.3, 0.7)


def test_plain_head_has_two_levels(predictor: Predictor) -> None:
    grades = [predictor.predict(png(colour)) for colour in ("red", "#800081", "#810080", "blue")]
    assert [grade.freshness_level for grade in grades] == ["fresh", "rotten", "fresh", "rotten"]
    assert predictor.own_thresholds == LevelThresholds(0.5, None)


@pytest.mark.parametrize(
    ("classes", "level"),
    [(("apples", "pears"), None), (("pears", "rottenapples"), None), (CLASSES, "fresh")],
)
def test_class_without_freshness_has_no_level(classes: tuple[str, ...], level: str | None) -> None:
    predictor = make_predictor(make_head(WEIGHTS), classes)
    assert predictor.predict(png("red")).freshness_level == level
    assert (predictor.own_thresholds is None) == (classes == ("apples", "pears"))


def test_user_thresholds_override_the_models_own(two_heads: Predictor) -> None:
    with_user_thresholds = two_heads.with_thresholds(LevelThresholds(0.2, 0.4))
    assert with_user_thresholds.predict(png("purple")).freshness_level == "fresh"
    assert two_heads.predict(png("purple")).freshness_level == "past_best"
    assert with_user_thresholds.with_thresholds(None).thresholds == two_heads.own_thresholds


@pytest.mark.parametrize("channels", [2, CHANNELS])
def test_old_package_head_grades(channels: int, tmp_path: Path) -> None:
    """With and without a second expert."""
    save_old_head(tmp_path / "head.npz", WEIGHTS[:channels], more=CHANNELS - channels)
    predictor = make_predictor(Head.load(tmp_path / "head.npz"))
    grade = predictor.predict(png("red"), explain=True)
    assert (grade.class_name, grade.freshness_level, grade.recognised) == (
        "freshapples",
        "fresh",
        True,
    )
    # The logits are 5 and 0, and the temperature 2.
    assert grade.confidence == pytest.approx(1 / (1 + np.exp(-2.5)), abs=1e-5)
    assert grade.heatmap is not None
    assert grade.features.shape == (CHANNELS,)


def test_package_with_nan_probabilities_is_rejected() -> None:
    package = load_package(PROJECT / "models" / "default")
    kinds = replace(package.head.kinds, bias=np.full_like(package.head.kinds.bias, np.nan))
    with pytest.raises(ValueError, match="output is not finite"):
        Predictor.of_package(replace(package, head=replace(package.head, kinds=kinds)))


def test_plain_answer_says_that_there_are_several_fruits() -> None:
    """Red quarters count as fruits, through a head that adds them up."""
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[1, 1] = 1
    counts = SeveralFruits(
        np.eye(CHANNELS, 1, dtype=np.float32),
        np.zeros(1, np.float32),
        kernel,
        np.zeros(1, np.float32),
        np.array([[0], [40]], np.float32),
        np.full(1, -15, np.float32),
    )
    head = make_head(WEIGHTS)
    one, two = (Image.new("RGB", (32, 32)) for _ in range(2))
    one.paste((255, 0, 0), (0, 0, 16, 16))
    two.paste((255, 0, 0), (0, 0, 32, 16))
    predictor = make_predictor(replace(head, several=counts))
    assert [predictor.predict(encode(image)).several for image in (one, two)] == [False, True]
    assert predictor.predict(encode(two)).interpretation.startswith(
        "This photo shows several fruits"
    )
    # Other things are not fruit, however many there are.
    nothing = replace(head, several=counts, ood=make_ood(CHANNELS, distance=-1))
    assert make_predictor(nothing).predict(encode(two)).several is False
    assert make_predictor(head).predict(encode(two)).several is None
