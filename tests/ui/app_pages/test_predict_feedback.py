"""The Predict page: heat map and feedback."""

import json
from base64 import b64encode

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, page_text
from tests.ui.app_pages.test_predict import upload
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, PREDICTION, Answer, FakeApi, problem
from tests.ui.fake_collect import script

FEEDBACK = "/predictions/4f1d/feedback"
EXPLAIN = "/predict?explain=true&prediction_id=4f1d"


@pytest.fixture
def page(open_page: OpenPage, api: FakeApi, photo: bytes) -> AppTest:
    """The page with a graded photo."""
    heatmap = f"data:image/png;base64,{b64encode(photo).decode()}"
    script(api, photo).answers[EXPLAIN] = Answer(PREDICTION | {"explanation": {"heatmap": heatmap}})
    return upload(open_page("predict"), "apple.jpg", photo)


def test_heat_map_is_requested_only_when_enabled(page: AppTest, api: FakeApi) -> None:
    assert len(api.received) == len([path for path, _ in api.received if "explain" not in path])

    page.toggle(key="heat_map").set_value(True).run()
    page.run()

    assert len([path for path, _ in api.received if path == EXPLAIN]) == 1
    assert "where the grader looked" in page.image[0].proto.imgs[0].alt
    assert "Blue is not damage" in page_text(page)
    assert len(page.image) == 1


def test_next_photo_requests_its_heat_map_with_the_prediction(
    page: AppTest, api: FakeApi, photo: bytes
) -> None:
    page.toggle(key="heat_map").set_value(True).run()
    upload(page, "next.jpg", photo + b"\0")

    assert [path for path, _ in api.received if path.startswith("/predict")][-1].endswith("=true")
    assert len(api.sent_to("/predict")) == 3


def test_photo_is_shown_if_the_heat_map_fails(page: AppTest, api: FakeApi) -> None:
    api.answers[EXPLAIN] = OUTAGE

    page.toggle(key="heat_map").set_value(True).run()

    assert page.header[0].value == "Fresh apple"
    assert "heat map is not available" in page_text(page)
    assert len(page.image) == 1


def test_feedback_is_about_the_first_prediction(page: AppTest, api: FakeApi) -> None:
    page.toggle(key="heat_map").set_value(True).run()

    button(page, "Yes, it is right").click().run()

    assert [json.loads(body) for body in api.sent_to(FEEDBACK)] == [{"correct": True}]
    assert "training image of Rotten apple" in page_text(page)
    assert "Is this right?" not in page_text(page)


def test_wrong_grade_is_corrected_with_a_known_class(page: AppTest, api: FakeApi) -> None:
    choice = page.selectbox(key="right_class")
    assert {"Fresh apple", "Rotten apple", "Kiwi"} <= set(choice.options)
    assert button(page, "Send the correction").disabled

    choice.set_value("kiwi").run()
    button(page, "Send the correction").click().run()

    assert [json.loads(body) for body in api.sent_to(FEEDBACK)] == [{"label": "kiwi"}]


def test_beginning_of_a_name_is_the_class_that_it_begins(page: AppTest, api: FakeApi) -> None:
    page.selectbox(key="right_class").set_value("kiw").run()

    assert "Taken as **Kiwi**." in page_text(page)
    button(page, "Send the correction").click().run()
    assert json.loads(api.sent_to(FEEDBACK)[-1]) == {"label": "kiwi"}


def test_beginning_of_a_name_may_be_a_class_of_its_own(page: AppTest, api: FakeApi) -> None:
    page.selectbox(key="right_class").set_value("kiw").run()
    page.checkbox(key="right_class_is_new").check().run()
    button(page, "Send the correction").click().run()

    assert json.loads(api.sent_to(FEEDBACK)[-1]) == {"label": "kiw", "new_class": True}


def test_beginning_of_several_names_is_asked_about(page: AppTest, api: FakeApi) -> None:
    page.selectbox(key="right_class").set_value("rotten").run()

    assert button(page, "Send the correction").disabled
    page.pills(key="right_class_begun").set_value("rottenbanana").run()
    button(page, "Send the correction").click().run()
    assert json.loads(api.sent_to(FEEDBACK)[-1]) == {"label": "rottenbanana"}


def test_feedback_can_be_changed(page: AppTest, api: FakeApi) -> None:
    button(page, "Yes, it is right").click().run()
    button(page, "Change the answer").click().run()
    page.selectbox(key="right_class").set_value("dragon fruit").run()
    button(page, "Send the correction").click().run()

    assert json.loads(api.sent_to(FEEDBACK)[-1]) == {"label": "dragon fruit"}


def test_unrecognised_photo_cannot_be_confirmed(page: AppTest, api: FakeApi, photo: bytes) -> None:
    api.answers["/predict"] = Answer(PREDICTION | {"recognised": False})

    upload(page, "shoe.jpg", photo + b"\0")

    assert "What is it?" in page_text(page)
    assert "Yes, it is right" not in [button.label for button in page.button]


def test_rejected_feedback_can_be_sent_again(page: AppTest, api: FakeApi) -> None:
    api.first[FEEDBACK].append(problem(422, "A class name needs a letter."))
    button(page, "Yes, it is right").click().run()
    assert "A class name needs a letter." in page.error[0].value

    button(page, "Yes, it is right").click().run()

    assert not page.error
    assert "training image of Rotten apple" in page_text(page)


def test_next_photo_gets_its_own_feedback_form(page: AppTest, photo: bytes) -> None:
    button(page, "Yes, it is right").click().run()

    upload(page, "next.jpg", photo + b"\0")

    assert "Is this right?" in page_text(page)


def test_known_classes_are_offered_without_the_dataset_summary(page: AppTest, api: FakeApi) -> None:
    api.answers["/dataset/summary"] = OUTAGE

    page.run()

    assert not page.exception
    assert "Rotten apple" in page.selectbox(key="right_class").options
