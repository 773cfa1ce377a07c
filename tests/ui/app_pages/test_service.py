"""The Service page: how the API is, and which model answers."""

from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi, problem


def test_it_tells_how_the_service_is_and_which_model_answers(open_page: OpenPage) -> None:
    page = open_page("service")

    assert not page.exception
    assert [(metric.label, metric.value) for metric in page.metric] == [
        ("Up for", "3 h 25 min"),
        ("Predictions", "1,234"),
        ("API version", "0.1.0"),
    ]
    written = "\n".join(element.value for element in page.markdown)
    assert "2026.11.21-1" in written
    assert "1,391 photographs" in written
    assert "Fresh apple, Rotten apple" in written
    assert page.table[0].value["Right"].tolist() == ["98.1 % of 278 photographs"]


def test_a_model_that_tells_little_is_shown_with_what_it_tells(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers["/model-info"] = Answer({"model_info": {"version": None, "metrics": None}})

    page = open_page("service")

    assert not page.exception
    assert not page.table


def test_without_a_model_it_says_how_to_get_one(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/model-info"] = Answer({"model_info": None})

    page = open_page("service")

    assert any("make train" in element.value for element in page.markdown)


def test_a_failure_of_one_answer_is_told(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/model-info"] = problem(500, "The catalog cannot be read.")

    page = open_page("service")

    assert "The catalog cannot be read." in page.error[0].value


def test_with_the_api_away_it_says_so(open_page: OpenPage, api: FakeApi) -> None:
    api.stop()

    page = open_page("service")

    assert not page.exception
    assert api.address in page.warning[0].value
