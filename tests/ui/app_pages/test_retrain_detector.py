"""What the Retrain page tells about finding the fruits of a photo."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui import fake_learning as fake
from tests.ui.app_pages.pages import page_text
from tests.ui.app_pages.test_hostile_text import raw_texts
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import FakeApi
from tests.ui.hostile_text import EVIL

MESSAGE = "The detector was trained further on 38 boxed photos."


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> None:
    fake.script(api)


def outcome(open_page: OpenPage, api: FakeApi, detector: dict[str, Any]) -> AppTest:
    figures = fake.FIGURES | {"detector": detector}
    verdict = fake.PASSED | {"figures": figures}
    api.answers["/runs"] = fake.runs(fake.RUN | {"verdict": verdict})
    page = open_page("retrain")
    assert not page.exception
    return page


def compared(group: str) -> dict[str, Any]:
    return {
        "plan": "tune",
        "message": MESSAGE,
        "objections": [],
        "comparison": {
            "groups": {group: fake.paired(47, 6, 14)},
            "fruits": {"apple": fake.paired(69, 57, 58)},
        },
    }


def test_detector_is_compared_with_the_current_one(open_page: OpenPage, api: FakeApi) -> None:
    page = outcome(open_page, api, compared("boxed photos from catalog"))
    assert MESSAGE in page_text(page)
    table = page.dataframe[0].value
    assert table["Held-out pictures"].tolist() == [
        "Boxed photos of your training data",
        "Boxed photos with apple: all of that kind found",
    ]
    assert table["Right now"].tolist() == [6, 57]
    assert table["Right with the new one"].tolist() == [14, 58]


def test_run_that_left_the_detector_alone_tells_nothing(open_page: OpenPage, api: FakeApi) -> None:
    page = outcome(open_page, api, {"plan": "keep", "message": ""})
    assert "Finding the fruits" not in page_text(page)


def test_names_of_strangers_are_plain_text(open_page: OpenPage, api: FakeApi) -> None:
    strange = compared(EVIL) | {"message": EVIL}
    assert raw_texts(outcome(open_page, api, strange)) == []
