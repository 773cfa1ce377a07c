"""The fruits of a photo in words."""

import fruits
import pytest
from api_models import ImageSize, Instance, Prediction

from tests.ui.fake_tray import ROTTEN, TRAY, instance, tray_answer

BOX = (0, 0, 10, 10)


def prediction(*found: dict[str, object], **changes: object) -> Prediction:
    return Prediction.model_validate(tray_answer(list(found), **changes))


def test_worst_comes_first_and_unknown_last() -> None:
    found = fruits.worst_first(prediction(*TRAY))

    assert [fruits.level(fruit) for fruit in found] == ["rotten", "past_best", "fresh", None]
    assert fruits.worst_level(prediction(*TRAY)) == "rotten"
    assert fruits.worst_level(prediction(TRAY[3])) is None
    assert fruits.worst_level(prediction()) is None


def test_names_follow_the_level() -> None:
    """A fruit is never named after a class that its level contradicts."""
    past_best = instance(BOX, **(ROTTEN | {"freshness_level": "past_best"}))
    kiwi = instance(BOX, predicted_class="kiwi", fruit="kiwi", freshness_level=None)

    names = [fruits.name(Instance.model_validate(one)) for one in (past_best, kiwi)]
    assert names == ["Apple, past its best", "Kiwi"]


def test_fruits_that_were_not_graded_are_counted() -> None:
    summary = tray_answer([])["summary"] | {"ungraded": 3}

    found = prediction(TRAY[0], TRAY[0], summary=summary)
    assert fruits.headline(found) == "5 fruits: 2 fresh, 3 not graded"


def test_classes_without_a_level_are_only_counted() -> None:
    kiwi = instance(BOX, predicted_class="kiwi", fruit="kiwi", freshness_level=None)

    assert fruits.headline(prediction(kiwi, kiwi)) == "2 fruits"
    assert fruits.count_names(fruits.worst_first(prediction(kiwi, kiwi))) == "2 kiwis"


@pytest.mark.parametrize(
    ("box", "place"),
    [
        ((0, 0, 10, 10), "top left"),
        ((50, 40, 70, 50), "middle"),
        ((110, 80, 120, 90), "bottom right"),
        ((50, 80, 70, 90), "bottom"),
    ],
)
def test_place_in_the_photo(box: tuple[int, int, int, int], place: str) -> None:
    fruit = Instance.model_validate(instance(box))

    assert fruits.place(fruits.relative_box(fruit, ImageSize(width=120, height=90))) == place
