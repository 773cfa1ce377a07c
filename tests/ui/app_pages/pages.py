"""Helpers of the page tests."""

from typing import Any

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


def wait_for_upload(page: AppTest, upload: str) -> AppTest:
    """Wait for the upload ("batch" or "training_upload"), and return the page after a rerun."""
    assert page.session_state[upload].wait(PATIENCE_SECONDS)
    page.run()
    assert not page.exception
    return page
