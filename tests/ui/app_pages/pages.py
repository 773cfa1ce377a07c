"""Helpers of the page tests."""

from typing import Any
from unittest.mock import patch

from streamlit.runtime.state.session_state import WStates
from streamlit.testing.v1 import AppTest

from tests.waiting import PATIENCE_SECONDS


def page_text(page: AppTest) -> str:
    """All text on the page."""
    parts = (page.markdown, page.caption, page.info, page.success, page.warning, page.error)
    return "\n".join(element.value for elements in parts for element in elements)


def button(page: AppTest, label: str) -> Any:
    """The only button with this label."""
    [match] = [button for button in page.button if button.label == label]
    return match


def double_click(page: AppTest, element: Any) -> AppTest:
    """The page after a double click on a button: Streamlit calls its callback for each click, with
    the same arguments, before it draws the page again."""
    call = WStates.call_callback

    def call_twice(states: WStates, widget_id: str) -> None:
        call(states, widget_id)
        call(states, widget_id)

    with patch.object(WStates, "call_callback", call_twice):
        element.click().run()
    assert not page.exception
    return page


def wait_for_upload(page: AppTest, upload: str) -> AppTest:
    """Wait for the upload ("batch" or "training_upload"), and return the page after a rerun."""
    assert page.session_state[upload].wait(PATIENCE_SECONDS)
    page.run()
    assert not page.exception
    return page
