"""The Predict page with a photo of several fruits."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, page_text
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import PREDICTION, Answer, FakeApi
from tests.ui.fake_tray import NO_DETECTOR, TRAY, script

WHOLE = "It is only one fruit: see the grade of the whole photo"


def upload(page: AppTest, data: bytes, name: str = "tray.jpg") -> AppTest:
    page.file_uploader(key="upload").set_value((name, data, "image/jpeg")).run()
    assert not page.exception
    return page


@pytest.fixture
def tray(open_page: OpenPage, api: FakeApi, photo: bytes) -> AppTest:
    script(api)
    return upload(open_page("predict"), photo)


def test_headline_is_about_all_fruits_worst_first(tray: AppTest) -> None:
    assert tray.header[0].value == "4 fruits: 1 rotten, 1 past its best, 1 fresh, 1 not known"
    text = page_text(tray)
    assert "1 rotten apple, 1 apple past its best, 1 fresh apple." in text
    assert "Not sure about number 2: look yourself." in text
    assert "the grader is sure" not in text
    assert "Is this right?" not in text


def test_each_fruit_has_a_box_and_a_crop_with_number_and_sign(tray: AppTest) -> None:
    labels = ["1 ✕** Rotten apple", "2 !** Apple, past its best", "3 ✓** Fresh apple"]
    expected = [f"**{label}" for label in (*labels, "4 ?** Not known")]
    for kind in ("box", "fruit"):
        keys = [f"{kind}-{number}" for number in range(1, 5)]
        assert [tray.button(key=key).label for key in keys] == expected
    assert tray.image[0].proto.imgs[0].alt == (
        "tray.jpg with a box for each fruit: 1, Rotten apple, bottom right; "
        "2, Apple, past its best, middle; 3, Fresh apple, top left; 4, Not known, top right"
    )
    assert len(tray.image) == 5


@pytest.mark.parametrize("kind", ["box", "fruit"])
def test_a_tap_opens_the_fruit(tray: AppTest, api: FakeApi, kind: str) -> None:
    tray.button(key=f"{kind}-1").click().run()

    assert not tray.exception
    assert "Take it out: rot spreads" in page_text(tray)
    assert [metric.label for metric in tray.metric] == ["Confidence", "Freshness score", "Level"]
    assert len(tray.get("plotly_chart")) == 1
    assert tray.button(key="fruit-4")
    assert len(api.sent_to("/predict")) == 1


def test_fruit_that_is_not_known_opens_without_a_grade(tray: AppTest) -> None:
    tray.button(key="box-4").click().run()

    assert "look at it yourself" in page_text(tray)
    assert not tray.metric


def test_whole_photo_can_be_graded_and_corrected(tray: AppTest) -> None:
    button(tray, WHOLE).click().run()

    assert tray.header[0].value == "Fresh apple"
    assert "Is this right?" in page_text(tray)
    assert "as if it showed one fruit" in page_text(tray)
    button(tray, "Back to each fruit").click().run()
    assert tray.header[0].value.startswith("4 fruits")


def test_next_photo_is_shown_fruit_by_fruit_again(tray: AppTest, photo: bytes) -> None:
    button(tray, WHOLE).click().run()
    upload(tray, photo + b"x", "next.jpg")

    assert tray.header[0].value.startswith("4 fruits")


@pytest.mark.parametrize("count", [0, 1])
def test_one_fruit_or_none_is_shown_as_a_photo(
    open_page: OpenPage, api: FakeApi, photo: bytes, count: int
) -> None:
    script(api, TRAY[:count])
    page = upload(open_page("predict"), photo)

    assert page.header[0].value == "Fresh apple"
    assert "Is this right?" in page_text(page)


def test_model_that_has_lost_its_detector_grades_the_photo(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    script(api)
    api.answers["/predict?instances=true"] = NO_DETECTOR
    page = upload(open_page("predict"), photo)

    assert page.header[0].value == "Fresh apple"


def test_answer_that_only_says_that_there_are_several_is_shown_as_a_photo(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    """As from a model that was promoted after the app had asked what models can do."""
    script(api).answers["/predict?instances=true"] = Answer(PREDICTION | {"several": True})
    page = upload(open_page("predict"), photo)

    assert page.header[0].value == "Fresh apple"
    assert "as if it showed one fruit" in page_text(page)
    assert "Back to each fruit" not in [one.label for one in page.button]


def test_model_without_a_detector_is_not_asked_for_fruits(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    upload(open_page("predict"), photo)

    assert [path for path, _ in api.received if path.startswith("/predict")] == ["/predict"]


def test_photo_that_cannot_be_shown_has_its_list(open_page: OpenPage, api: FakeApi) -> None:
    script(api)
    page = upload(open_page("predict"), b"\0\0\0\x18ftypheic", "tray.heic")

    assert "cannot be shown here" in page_text(page)
    page.button(key="fruit-1").click().run()
    assert not page.exception


def test_many_fruits_are_shown_on_request(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    script(api, TRAY * 5)
    page = upload(open_page("predict"), photo)
    assert page.header[0].value.startswith("20 fruits: 5 rotten, 5 past their best")
    assert "5 apples past their best" in page_text(page)
    assert sum((one.key or "").startswith("fruit-") for one in page.button) == 12

    page.toggle(key="all_fruits").set_value(True).run()
    assert sum((one.key or "").startswith("fruit-") for one in page.button) == 20
