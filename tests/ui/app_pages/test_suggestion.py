"""A suggested retraining is a line on every page, and can be started or dismissed there."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui import fake_learning as fake
from tests.ui.app_pages.retrain_page import has_button, page_text, press
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi, problem

ID = fake.SUGGESTION["suggestion_id"]
ACCEPT, DISMISS = f"/suggestions/{ID}/accept", f"/suggestions/{ID}/dismiss"
PAGES = ("predict", "inspections", "training_data", "retrain", "dataset_insights", "model_report")


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> FakeApi:
    fake.script(api)
    suggest(api, fake.SUGGESTION)
    return api


def suggest(api: FakeApi, *suggestions: dict[str, object]) -> None:
    api.answers["/suggestions"] = Answer({"suggestions": list(suggestions)})


def line(page: AppTest) -> str:
    """The line, if there is one."""
    return next((text for text in page_text(page).split("\n") if "Retrain?" in text), "")


@pytest.mark.parametrize("name", [*PAGES, "monitoring"])
def test_suggestion_is_on_every_page(open_page: OpenPage, name: str) -> None:
    page = open_page(name)

    assert "New photos" in line(page)
    assert "1200 training images are new" in page_text(page)
    assert has_button(page, "Start")
    assert has_button(page, "Dismiss")


def test_without_a_suggestion_there_is_nothing(open_page: OpenPage, api: FakeApi) -> None:
    suggest(api)
    page = open_page("predict")
    assert line(page) == ""
    assert not has_button(page, "Dismiss")


def test_started_suggestion_says_where_to_look_and_disappears(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers[ACCEPT] = Answer(fake.STARTED, 202)
    page = open_page("predict")
    suggest(api)

    press(page, "Start")

    assert len(api.sent_to(ACCEPT)) == 1
    assert line(page) == ""
    assert ["Retrain page" in toast.value for toast in page.toast] == [True]


def test_dismissed_suggestion_disappears(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[DISMISS] = Answer(fake.SUGGESTION | {"state": "dismissed"})
    page = open_page("predict")
    suggest(api)

    press(page, "Dismiss")

    assert len(api.sent_to(DISMISS)) == 1
    assert line(page) == ""
    assert not page.toast


def test_suggestion_that_cannot_start_says_why(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[ACCEPT] = problem(409, "Run 7 is queued or running.")
    page = open_page("predict")

    press(page, "Start")

    assert "Run 7 is queued or running." in page.error[0].value
    assert line(page)
    assert not page.toast


def test_pages_do_without_the_line_while_it_is_not_available(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers["/suggestions"] = problem(503, "The catalog is away.")
    page = open_page("predict")
    assert not page.exception
    assert line(page) == ""
    assert len(page.title) == 1
