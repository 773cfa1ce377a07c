"""What the live camera says about a frame and draws over it."""

from typing import Any

from api_models import Prediction
from components.live.answers import NOTHING_FOUND, LiveAnswer, answer_frame

from tests.ui.fake_api import PREDICTION
from tests.ui.fake_tray import ROTTEN, TRAY, instance, tray_answer


def answered(answer: dict[str, Any]) -> LiveAnswer:
    return answer_frame(7, Prediction.model_validate(answer))


def test_worst_fruit_is_first_and_named_with_its_place() -> None:
    shown = answered(tray_answer(TRAY))
    assert shown["number"] == 7
    assert shown["headline"] == "4 fruits: 1 rotten, 1 past its best, 1 fresh, 1 not known"
    assert shown["detail"] == "The worst: rotten apple, bottom right. 97.3 % sure."


def test_boxes_differ_by_sign_and_border_not_by_colour_alone() -> None:
    boxes = answered(tray_answer(TRAY))["boxes"]
    assert [box["text"] for box in boxes] == ["✕ worst", "!", "✓", "?"]
    assert len({box["border"] for box in boxes}) == len(boxes)
    assert boxes[0]["box"] == (80 / 120, 60 / 90, 110 / 120, 1.0)


def test_single_fruit_is_not_called_the_worst() -> None:
    shown = answered(tray_answer([instance((0, 0, 40, 30), freshness_score=0.1, **ROTTEN)]))
    assert shown["headline"] == "1 fruit: 1 rotten"
    assert shown["detail"] == "Rotten apple, top left. 97.3 % sure."
    assert [box["text"] for box in shown["boxes"]] == ["✕"]


def test_uncertainty_is_shown() -> None:
    doubtful = answered(tray_answer([instance((0, 0, 40, 30), confidence=0.55)]))
    assert doubtful["detail"] == "Fresh apple, top left. 55.0 %, not sure."
    unknown = answered(tray_answer([instance((0, 0, 40, 30), recognised=False)]))
    assert unknown["detail"] == "Not known, top left. Look at it yourself."
    assert [box["text"] for box in unknown["boxes"]] == ["?"]


def test_frame_without_fruit_says_how_to_hold_the_camera() -> None:
    shown = answered(tray_answer([]))
    assert shown["headline"] == NOTHING_FOUND
    assert "Hold the camera still" in shown["detail"]
    assert shown["boxes"] == []


def test_without_a_detector_the_whole_picture_has_a_grade() -> None:
    shown = answered(PREDICTION)
    assert shown["headline"] == "✓ Fresh apple"
    assert "one fruit at a time" in shown["detail"]
    unknown = answered(PREDICTION | {"recognised": False})
    assert unknown["headline"] == "? Not one of the fruits that I know"
