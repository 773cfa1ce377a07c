"""The review queue of the Training data page: suggested labels, confirmed in batches."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, written
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi, problem
from tests.ui.fake_collect import script

CONFIRMED = {"confirmed_count": 2, "confirmed": [], "errors": []}


@pytest.fixture
def page(open_page: OpenPage, api: FakeApi, photo: bytes) -> AppTest:
    return queue(open_page, script(api, photo))


def queue(open_page: OpenPage, api: FakeApi) -> AppTest:
    page = open_page("training_data")
    page.segmented_control(key="training_section").set_value("Review queue").run()
    assert not page.exception
    return page


def confirmed(page: AppTest, api: FakeApi, answer: Answer) -> list[Any]:
    """The labels that a confirmation sends."""
    api.first["/review-queue"].append(answer)
    button(page, "Confirm these labels").click().run()
    assert not page.exception
    bodies = [body for body in api.sent_to("/review-queue") if body]
    return [json.loads(body)["items"] for body in bodies]


def test_known_classes_are_suggested_and_unknown_photos_left_open(
    page: AppTest,
) -> None:
    assert {choice.key: choice.value for choice in page.selectbox} == {
        "label_shoe": None,
        "label_apple": "rottenapples",
        "label_pear": "rottenapples",
    }
    assert page.selectbox(key="label_shoe").placeholder == "Rotten apple?"
    assert len(page.image) == 3
    assert "51.0 % sure" in written(page)


def test_labels_are_confirmed_together_and_open_ones_left_out(page: AppTest, api: FakeApi) -> None:
    page.selectbox(key="label_apple").set_value("freshapples")

    [items] = confirmed(page, api, Answer(CONFIRMED))

    assert items == [
        {"prediction_id": "apple", "label": "freshapples"},
        {"prediction_id": "pear", "label": "rottenapples"},
    ]
    assert "2 labels confirmed." in page.success[0].value


def test_rejected_labels_are_reported_with_the_reason(page: AppTest, api: FakeApi) -> None:
    error = {"prediction_id": "pear", "code": "gone", "detail": "This prediction is gone."}

    confirmed(page, api, Answer({"confirmed_count": 1, "confirmed": [], "errors": [error]}))

    assert "1 label confirmed. 1 label not accepted: This prediction is gone." in written(page)


def test_a_rejection_of_all_is_explained(page: AppTest, api: FakeApi) -> None:
    confirmed(page, api, problem(422, "The labels cannot be read."))

    assert "The labels cannot be read." in page.error[0].value


def test_nothing_is_sent_if_every_label_was_cleared(page: AppTest, api: FakeApi) -> None:
    page.selectbox(key="label_apple").set_value(None)
    page.selectbox(key="label_pear").set_value(None)

    button(page, "Confirm these labels").click().run()

    assert not [body for body in api.sent_to("/review-queue") if body]


def test_an_empty_queue_says_what_fills_it(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    script(api, photo).answers["/review-queue"] = Answer({"items": []})

    assert "Nothing to review" in written(queue(open_page, api))


def test_a_failing_queue_is_explained(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    script(api, photo).answers["/review-queue"] = problem(503, "The database is away.")

    assert "The database is away." in queue(open_page, api).error[0].value
