"""Helpers for tests of the Retrain page."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui import fake_learning as fake
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import FakeApi

AT = "2026-11-21T10:00:00Z"


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> FakeApi:
    return fake.script(api)


def retrain_page(open_page: OpenPage, tab: str = "") -> AppTest:
    """The page with this tab open."""
    page = open_page("retrain")
    if tab:
        page.session_state["retrain_tab"] = tab
        page.run()
    assert not page.exception
    return page


def page_text(page: AppTest) -> str:
    """The page's text without messages."""
    return "\n".join(element.value for element in page.markdown)


def has_button(page: AppTest, label: str) -> bool:
    return any(element.label == label for element in page.button)


def press(page: AppTest, label: str) -> AppTest:
    """The page after a click on the first button with this label."""
    next(element for element in page.button if element.label == label).click().run()
    assert not page.exception
    return page
