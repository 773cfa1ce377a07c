"""The Freshness limits tab of the Retrain page."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui import fake_learning as fake
from tests.ui import fake_thresholds
from tests.ui.app_pages.pages import button, page_text
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi, problem

PATH, MODEL = fake.THRESHOLDS_PATH, fake.MODEL_THRESHOLDS
OWN = MODEL["model"]
USER = MODEL | {"rotten_below": 0.4, "fresh_from": 0.9, "set_by": "user"}


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> FakeApi:
    fake.script(api).answers[PATH] = Answer(MODEL)
    return api


def limits_tab(open_page: OpenPage) -> AppTest:
    page = open_page("retrain")
    page.session_state["retrain_tab"] = "Freshness limits"
    page.run()
    assert not page.exception
    return page


def press(page: AppTest, label: str) -> AppTest:
    button(page, label).click().run()
    assert not page.exception
    return page


def sent(api: FakeApi) -> list[Any]:
    return [json.loads(body) for body in api.sent_to(PATH) if body]


def test_tab_shows_the_limits_and_who_set_them(open_page: OpenPage) -> None:
    page = limits_tab(open_page)

    assert "Rotten below 30, past its best from 30, fresh from 70." in page_text(page)
    assert "Set by the model." in page_text(page)
    assert page.slider[0].value == (30, 70)
    assert next(element for element in page.button if element.label == "Reset").disabled


def test_new_limits_are_sent_and_shown(open_page: OpenPage, api: FakeApi) -> None:
    page = limits_tab(open_page)
    page.slider[0].set_value((40, 90))
    api.first[PATH].append(Answer(USER))
    api.answers[PATH] = Answer(USER)

    press(page, "Set these limits")

    assert sent(api) == [{"rotten_below": 0.4, "fresh_from": 0.9}]
    assert "within two seconds" in page.success[0].value
    assert "Rotten below 40, past its best from 40, fresh from 90." in page_text(page)
    assert "Set by a person." in page_text(page)
    assert "rotten below 30, past its best from 30" in page.caption[-1].value


def test_limits_can_be_reset(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[PATH] = Answer(USER)
    page = limits_tab(open_page)
    api.answers[PATH] = Answer(MODEL)

    press(page, "Reset")

    assert page.slider[0].value == (30, 70)
    assert "default limits" in page.success[0].value


def test_model_without_past_best_level_has_one_limit(open_page: OpenPage, api: FakeApi) -> None:
    own = {"rotten_below": 0.5, "fresh_from": None}
    api.answers[PATH] = Answer({**own, "set_by": "model", "model": own})

    page = limits_tab(open_page)

    assert "Rotten below 50, fresh from 50." in page_text(page)
    assert page.slider[0].value == (50, 50)


def test_without_freshness_there_are_no_limits(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[PATH] = Answer(
        {"rotten_below": None, "fresh_from": None, "set_by": "model", "model": None}
    )

    page = limits_tab(open_page)

    assert "No limits to set" in page_text(page)
    assert not page.slider
    assert "Set these limits" not in [element.label for element in page.button]


def test_rejected_limits_stay_unchanged_and_show_the_reason(
    open_page: OpenPage, api: FakeApi
) -> None:
    page = limits_tab(open_page)
    api.first[PATH].append(problem(409, "Both must lie between 0 and 1."))

    press(page, "Set these limits")

    assert "The limits were not changed" in page.error[0].value
    assert "Both must lie between 0 and 1." in page.error[0].value
    assert page.slider[0].value == (30, 70)


def test_fruits_with_lines_of_their_own_are_named(open_page: OpenPage, api: FakeApi) -> None:
    page = limits_tab(open_page)
    assert "lines of their own" not in page_text(page)
    own = [fake_thresholds.of_fruit("red_pear", set_by="fruit"), fake_thresholds.of_fruit("apple")]
    api.answers[fake_thresholds.path(fake.CHAMPION)] = fake_thresholds.of_version(
        fake.CHAMPION, *own
    )
    page = press(page, "Set these limits")
    assert "fruits with lines of their own: Red\\_pear." in page_text(page)
