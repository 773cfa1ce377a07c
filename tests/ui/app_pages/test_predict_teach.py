"""The Predict page: correcting the fruits of a photo."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, page_text
from tests.ui.app_pages.test_predict_tray import upload
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, FakeApi, problem
from tests.ui.fake_tray import BOXES, TRAY, boxes_answer, script

ADD, SAVE = "Add a fruit that was missed", "Save corrections"


@pytest.fixture
def tray(open_page: OpenPage, api: FakeApi, photo: bytes) -> AppTest:
    script(api)
    return upload(open_page("predict"), photo)


def correct(page: AppTest, number: int, label: str) -> AppTest:
    page.button(key=f"fruit-{number}").click().run()
    page.selectbox(key=f"right_class_{number}").set_value(label).run()
    button(page, "Correct it").click().run()
    assert not page.exception
    return page


def answer(page: AppTest, number: int, label: str) -> AppTest:
    page.button(key=f"fruit-{number}").click().run()
    button(page, label).click().run()
    assert not page.exception
    return page


def sent(api: FakeApi) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(api.sent_to(BOXES)[-1])
    return body


def test_nothing_can_be_saved_before_something_is_said(tray: AppTest) -> None:
    assert button(tray, SAVE).disabled
    assert "Is something wrong?" in page_text(tray)

    tray.checkbox(key="all_have_a_box").check().run()
    assert not button(tray, SAVE).disabled


def test_corrected_fruit_shows_at_once(tray: AppTest) -> None:
    correct(tray, 1, "freshbanana")

    assert tray.button(key="fruit-1").label == "**1 ✓ ✎** Fresh banana"
    assert tray.button(key="box-1").label == "**1 ✓ ✎** Fresh banana, corrected by you"
    assert tray.header[0].value == "4 fruits: 1 past its best, 2 fresh, 1 not known"
    assert "Your corrections: 1 corrected" in page_text(tray)
    assert "Corrected by you" in page_text(tray)
    assert not [one for one in tray.button if one.label == "Correct it"]


def test_all_fruits_are_sent_with_the_classes_that_the_person_gave(
    tray: AppTest, api: FakeApi
) -> None:
    correct(tray, 1, "freshbanana")
    answer(tray, 3, "Yes, it is right")
    answer(tray, 4, "This is no fruit")
    button(tray, SAVE).click().run()

    worst = [TRAY[1], TRAY[2], TRAY[0]]
    classes = ["freshbanana", None, "freshapples"]
    assert sent(api) == {
        "boxes": [
            {"box": one["box"], "class_name": name}
            for one, name in zip(worst, classes, strict=True)
        ],
        "complete": False,
        "image": {"width": 120, "height": 90},
    }
    assert "Noted: the photo is kept with 4 fruits; the next" in page_text(tray)
    assert SAVE not in [one.label for one in tray.button]
    assert tray.get("page_link")[0].proto.page == "retrain"


def test_box_that_is_ticked_just_before_saving_counts(tray: AppTest, api: FakeApi) -> None:
    """Both clicks reach the app in a single run, before the page is redrawn."""
    correct(tray, 1, "freshbanana")
    tray.checkbox(key="all_have_a_box").check()
    button(tray, SAVE).click().run()
    assert sent(api)["complete"] is True


def test_missed_fruit_is_added_without_drawing(tray: AppTest, api: FakeApi) -> None:
    button(tray, ADD).click().run()
    tray.button_group(key="how_to_draw").set_value("Set its edges").run()
    tray.slider(key="edges-across").set_range(0, 25).run()
    tray.slider(key="edges-down").set_range(50, 100).run()
    tray.selectbox(key="missed_class").set_value("kiwi").run()
    button(tray, "Add this fruit").click().run()
    assert not tray.exception
    assert tray.button(key="box-5").label == "**5 ? ✎** Kiwi, added by you"

    tray.checkbox(key="all_have_a_box").check().run()
    button(tray, SAVE).click().run()
    assert sent(api)["complete"] is True
    assert sent(api)["boxes"][-1] == {
        "box": {"x_min": 0, "y_min": 45, "x_max": 30, "y_max": 90},
        "class_name": "kiwi",
    }


def test_missed_fruit_may_be_named_later(tray: AppTest, api: FakeApi) -> None:
    button(tray, ADD).click().run()
    tray.button_group(key="how_to_draw").set_value("Set its edges").run()
    button(tray, "Add this fruit").click().run()
    tray.button(key="fruit-5").click().run()
    assert not tray.exception
    assert "Not one of the fruits that I know" not in page_text(tray)

    tray.selectbox(key="right_class_5").set_value("kiwi").run()
    button(tray, "Correct it").click().run()
    button(tray, SAVE).click().run()
    assert sent(api)["boxes"][-1]["class_name"] == "kiwi"


def test_nothing_is_added_before_a_box_is_drawn(tray: AppTest) -> None:
    button(tray, ADD).click().run()

    assert button(tray, "Add this fruit").disabled
    assert len(tray.get("plotly_chart")) == 1


def test_steps_are_undone_in_turn(tray: AppTest) -> None:
    correct(tray, 1, "freshbanana")
    answer(tray, 4, "This is no fruit")
    assert "1 corrected, 1 removed" in page_text(tray)

    button(tray, "Undo").click().run()
    assert tray.button(key="box-4")
    button(tray, "Undo").click().run()
    assert tray.button(key="fruit-1").label == "**1 ✕** Rotten apple"
    assert "Undo" not in [one.label for one in tray.button]


def test_photo_without_any_fruit_is_saved_only_if_the_person_says_so(
    tray: AppTest, api: FakeApi
) -> None:
    for number in range(1, 5):
        answer(tray, number, "This is no fruit")
    assert button(tray, SAVE).disabled
    assert tray.checkbox(key="all_have_a_box").label == "There is no fruit in this photo"

    tray.checkbox(key="all_have_a_box").check().run()
    button(tray, SAVE).click().run()
    assert (sent(api)["boxes"], sent(api)["complete"]) == ([], True)


def test_saved_corrections_can_be_changed(tray: AppTest, api: FakeApi) -> None:
    correct(tray, 1, "freshbanana")
    button(tray, SAVE).click().run()
    correct(tray, 1, "kiwi")
    assert "Noted" not in page_text(tray)

    button(tray, SAVE).click().run()
    assert sent(api)["boxes"][0]["class_name"] == "kiwi"


@pytest.mark.parametrize("failure", [OUTAGE, problem(422, "A class name needs a letter.")])
def test_nothing_is_lost_if_saving_fails(tray: AppTest, api: FakeApi, failure: Any) -> None:
    correct(tray, 1, "freshbanana")
    api.first[BOXES].append(failure)
    button(tray, SAVE).click().run()
    assert tray.error
    assert "Your corrections: 1 corrected" in page_text(tray)

    button(tray, SAVE).click().run()
    assert not tray.error
    assert "Noted" in page_text(tray)


@pytest.mark.parametrize(
    "gone", [problem(409, "No longer kept.", "not-kept"), problem(404, "?", "prediction-not-found")]
)
def test_photo_that_is_no_longer_kept_is_sent_again(tray: AppTest, api: FakeApi, gone: Any) -> None:
    correct(tray, 1, "freshbanana")
    api.first[BOXES].append(gone)
    button(tray, SAVE).click().run()

    assert not tray.error
    assert "Noted" in page_text(tray)
    assert len(api.sent_to("/predict")) == 2
    assert len(api.sent_to(BOXES)) == 2


def test_service_that_keeps_no_photos_is_named(tray: AppTest, api: FakeApi) -> None:
    correct(tray, 1, "freshbanana")
    api.answers[BOXES] = problem(409, "No longer kept.", "not-kept")
    button(tray, SAVE).click().run()

    assert "keeps no photos" in tray.error[0].value
    assert tray.button(key="fruit-1").label.endswith("Fresh banana")


def test_photo_that_was_uploaded_with_boxes_keeps_them(tray: AppTest, api: FakeApi) -> None:
    api.answers[BOXES] = boxes_answer("known")
    correct(tray, 1, "freshbanana")
    button(tray, SAVE).click().run()

    assert "your corrections are not used" in page_text(tray)
    assert "PUT" not in page_text(tray)


def test_corrections_outlive_a_visit_to_another_page(tray: AppTest) -> None:
    correct(tray, 1, "freshbanana")
    tray.switch_page("app_pages/model_report.py").run()
    tray.switch_page("app_pages/predict.py").run()

    assert "Your corrections: 1 corrected" in page_text(tray)


def test_next_photo_has_no_corrections(tray: AppTest, photo: bytes) -> None:
    correct(tray, 1, "freshbanana")
    tray.checkbox(key="all_have_a_box").check().run()
    upload(tray, photo + b"x", "next.jpg")

    assert "Is something wrong?" in page_text(tray)
    assert not tray.checkbox(key="all_have_a_box").value


def test_photo_that_cannot_be_shown_is_corrected_by_its_list(
    open_page: OpenPage, api: FakeApi
) -> None:
    script(api)
    page = upload(open_page("predict"), b"\0\0\0\x18ftypheic", "tray.heic")
    assert button(page, ADD).disabled

    correct(page, 1, "freshbanana")
    assert "1 corrected" in page_text(page)
