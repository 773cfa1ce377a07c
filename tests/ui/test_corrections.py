"""A person's corrections of the fruits in a photo."""

import corrections
import pytest
from api_models import ImageSize, Instance, PixelBox
from corrections import Step

from tests.ui.fake_tray import TRAY

FOUND = [Instance.model_validate(one) for one in TRAY]
IMAGE = ImageSize(width=120, height=90)
BOX = PixelBox(x_min=1, y_min=2, x_max=30, y_max=40)


def test_class_of_a_fruit_is_only_what_the_person_said() -> None:
    """The model must not learn from its own grades."""
    steps = [Step(1, "freshapples"), Step(2, "rottenbanana"), Step(5, "kiwi", BOX)]
    marked = corrections.apply(FOUND, steps)

    body = corrections.as_body(marked, steps, IMAGE, complete=False)
    assert [one["class_name"] for one in body["boxes"]] == [
        "freshapples",
        "rottenbanana",
        None,
        None,
        "kiwi",
    ]
    assert body["boxes"][4]["box"] == {"x_min": 1, "y_min": 2, "x_max": 30, "y_max": 40}
    assert body["boxes"][2]["box"] == TRAY[2]["box"]
    assert (body["complete"], body["image"]) == (False, {"width": 120, "height": 90})
    assert "new_class" not in body


def test_confirmed_fruit_keeps_its_grade_and_a_corrected_one_has_the_new() -> None:
    marked = corrections.apply(FOUND, [Step(3, "freshapples"), Step(1, "rottenbanana")])

    assert [one.said for one in marked] == ["corrected", "", "confirmed", ""]
    # It was graded as past its best, which the class does not say.
    assert marked[2].fruit == FOUND[2]
    corrected = marked[0].fruit
    assert (corrected.fruit, corrected.freshness_level) == ("banana", "rotten")
    assert corrected.box == FOUND[0].box


def test_class_that_is_given_back_is_confirmed() -> None:
    steps = [Step(1, "rottenbanana"), Step(1, "freshapples")]

    assert corrections.apply(FOUND, steps)[0].said == "confirmed"


def test_unknown_fruit_is_never_confirmed() -> None:
    """Its class was only the closest one."""
    assert corrections.apply(FOUND, [Step(4, "freshapples")])[3].said == "corrected"


def test_numbers_are_never_used_again() -> None:
    steps = [Step(4, removed=True), Step(5, None, BOX), Step(5, removed=True)]

    assert corrections.next_number(FOUND, steps) == 6
    assert [one.number for one in corrections.apply(FOUND, steps)] == [1, 2, 3]


def test_added_fruit_may_have_no_class_at_first() -> None:
    steps = [Step(5, None, BOX)]
    assert not corrections.apply(FOUND, steps)[-1].fruit.recognised

    named = corrections.apply(FOUND, [*steps, Step(5, "kiwi")])[-1]
    assert (named.said, named.class_name, named.fruit.recognised) == ("added", "kiwi", True)
    assert named.fruit.box == BOX


def test_corrections_in_words() -> None:
    steps = [Step(1, "kiwi"), Step(2, removed=True), Step(3, removed=True), Step(5, "kiwi", BOX)]

    assert corrections.describe(FOUND, corrections.apply(FOUND, steps)) == (
        "1 corrected, 1 added, 2 removed"
    )
    assert corrections.describe(FOUND, corrections.apply(FOUND, [])) == ""


def test_new_class_is_said_to_be_new() -> None:
    steps = [Step(1, "Fresh Apples", new_class=True)]
    marked = corrections.apply(FOUND, steps)

    assert corrections.as_body(marked, steps, IMAGE, complete=False)["new_class"] is True


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ((100.4, 20.4), (50, 10), (20, 10, 100, 50)),
        ((-30, 60), (40, 500), (0, 40, 60, 90)),
        ((130, 180), (10, 50), None),
        ((10, 10.6), (10, 50), None),
    ],
)
def test_drawn_box_lies_on_the_photo(
    x: tuple[float, float], y: tuple[float, float], expected: tuple[int, ...] | None
) -> None:
    box = corrections.box_between(x, y, IMAGE)

    assert (box and (box.x_min, box.y_min, box.x_max, box.y_max)) == expected
