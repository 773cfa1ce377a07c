"""What the tests of several pages do."""

from typing import Any

from streamlit.testing.v1 import AppTest

PATIENCE_SECONDS = 20


def written(page: AppTest) -> str:
    """All that stands on the page as text."""
    parts = (page.markdown, page.caption, page.info, page.success, page.warning, page.error)
    return "\n".join(element.value for elements in parts for element in elements)


def button(page: AppTest, label: str) -> Any:
    """The one button with this label."""
    [found] = [button for button in page.button if button.label == label]
    return found


def sent(page: AppTest, what: str) -> AppTest:
    """The page once what is on its way, "batch" or "training_upload", has been sent."""
    assert page.session_state[what].wait(PATIENCE_SECONDS)
    page.run()
    assert not page.exception
    return page
