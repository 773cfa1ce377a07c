"""The review queue of the Training data page: suggested labels, confirmed in batches."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, page_text
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi, problem
from tests.ui.fake_collect import QUEUE, SUMMARY, script

CONFIRMED = {"confirmed_count": 2, "confirmed": [], "errors": []}


@pytest.fixture
def page(open_page: OpenPage, api: FakeApi, photo: bytes) -> AppTest:
    return queue(open_page, script(api, photo))


def queue(open_page: OpenPage, api: FakeApi) -> AppTest:
    page = open_page("training_data")
    page.segmented_control(key="training_section").set_value("Review queue").run()
    assert not page.exception
    return page


def confirm_labels(page: AppTest, api: FakeApi, answer: Answer) -> list[Any]:
    """Confirm the labels, and return those that were sent."""
    api.first["/review-queue"].append(answer)
    button(page, "Confirm these labels").click().run()
    assert not page.exception
    bodies = [body for body in api.sent_to("/review-queue") if body]
    return [json.loads(body)["items"] for body in bodies]


def test_recognised_photos_have_a_suggested_label_and_others_none(
    page: AppTest,
) -> None:
    assert {choice.key: choice.value for choice in page.selectbox} == {
        "label_shoe": None,
        "label_apple": "rottenapples",
        "label_pear": "rottenapples",
    }
    assert page.selectbox(key="label_shoe").placeholder == "Rotten apple?"
    assert len(page.image) == 3
    assert "51.0 % sure" in page_text(page)


def test_set_labels_are_confirmed_together(page: AppTest, api: FakeApi) -> None:
    page.selectbox(key="label_apple").set_value("freshapples")

    [items] = confirm_labels(page, api, Answer(CONFIRMED))

    assert items == [
        {"prediction_id": "apple", "label": "freshapples"},
        {"prediction_id": "pear", "label": "rottenapples"},
    ]
    assert "2 labels confirmed." in page.success[0].value


@pytest.mark.parametrize(
    ("typed", "sent"), [("fresh a", "freshapples"), ("Kiwi", "kiwi"), ("Mango", "Mango")]
)
def test_beginning_of_a_name_is_the_class_that_it_begins(
    page: AppTest, api: FakeApi, typed: str, sent: str
) -> None:
    page.selectbox(key="label_apple").set_value(typed)

    [[apple, _]] = confirm_labels(page, api, Answer(CONFIRMED))

    assert apple == {"prediction_id": "apple", "label": sent}


def test_beginning_of_several_names_is_asked_about(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    script(api, photo)
    photographs = {"total": 2, "by_class": {"freshapples": {}, "freshbanana": {}}}
    api.answers["/dataset/summary"] = Answer(SUMMARY | {"photographs": photographs})
    page = queue(open_page, api)
    page.selectbox(key="label_apple").set_value("fresh")

    button(page, "Confirm these labels").click().run()

    assert "more than one class begins like that" in page.warning[0].value
    assert not [body for body in api.sent_to("/review-queue") if body]


def test_rejected_labels_are_reported_with_the_reason(page: AppTest, api: FakeApi) -> None:
    error = {"prediction_id": "pear", "code": "gone", "detail": "This prediction is gone."}

    confirm_labels(page, api, Answer({"confirmed_count": 1, "confirmed": [], "errors": [error]}))

    assert "1 label confirmed. 1 label not accepted: This prediction is gone." in page_text(page)


def test_rejected_request_shows_the_detail_of_the_api(page: AppTest, api: FakeApi) -> None:
    confirm_labels(page, api, problem(422, "The labels cannot be read."))

    assert "The labels cannot be read." in page.error[0].value


def test_nothing_is_sent_without_labels_and_the_page_says_so(page: AppTest, api: FakeApi) -> None:
    page.selectbox(key="label_apple").set_value(None)
    page.selectbox(key="label_pear").set_value(None)

    button(page, "Confirm these labels").click().run()

    assert "choose what at least one of the photos shows" in page.warning[0].value
    assert not [body for body in api.sent_to("/review-queue") if body]


def test_empty_queue_says_so(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    script(api, photo).answers["/review-queue"] = Answer({"items": []})

    assert "Nothing to review" in page_text(queue(open_page, api))


def test_failed_queue_request_is_explained(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    script(api, photo).answers["/review-queue"] = problem(503, "The database is away.")

    assert "The database is away." in queue(open_page, api).error[0].value


def test_random_sample_is_asked_about_first_and_without_the_grade(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    script(api, photo)
    first, *rest = QUEUE["items"]
    api.answers["/review-queue"] = Answer({"items": [first | {"reason": "sampled"}, *rest]})

    page = queue(open_page, api)

    [choice] = page.selectbox
    assert (choice.value, choice.placeholder) == (None, "What is it?")
    assert "A random sample of the graded photos" in page_text(page)
    assert "sure" not in "".join(caption.value for caption in page.caption)


def test_photo_is_dismissed_and_that_is_undone(page: AppTest, api: FakeApi) -> None:
    api.answers["/predictions/shoe/dismissal"] = Answer("", 204)
    queue_answer = api.answers["/review-queue"]
    left = [item for item in QUEUE["items"] if item["prediction_id"] != "shoe"]
    api.answers["/review-queue"] = Answer({"items": left})

    page.button(key="dismiss_shoe").click().run()

    assert not page.exception
    assert "1 photo dismissed: not a fruit" in page_text(page)
    assert "label_shoe" not in [choice.key for choice in page.selectbox]
    # Dismissing does not send the labels of other photos.
    assert not [body for body in api.sent_to("/review-queue") if body]
    api.answers["/review-queue"] = queue_answer
    button(page, "Undo the last").click().run()
    assert "dismissed" not in page_text(page)
    assert "label_shoe" in [choice.key for choice in page.selectbox]
    assert len(api.sent_to("/predictions/shoe/dismissal")) == 2


def test_rejected_dismissal_is_explained(page: AppTest, api: FakeApi) -> None:
    api.answers["/predictions/shoe/dismissal"] = problem(409, "A person has said what it is.")
    page.button(key="dismiss_shoe").click().run()
    assert "A person has said what it is" in page_text(page)
    assert "photo dismissed" not in page_text(page)
