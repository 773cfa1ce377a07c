"""What the Retrain page says about finding the fruits in a photo."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui import fake_learning as fake
from tests.ui.app_pages.pages import button, page_text
from tests.ui.app_pages.test_hostile_text import raw_texts
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi
from tests.ui.hostile_text import EVIL

MESSAGE = "The detector was trained further on 38 boxed photos."


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> None:
    fake.script(api)


def outcome(
    open_page: OpenPage, api: FakeApi, detector: dict[str, Any], mode: str = "full"
) -> AppTest:
    figures = {} if mode == "detector" else fake.FIGURES
    verdict = fake.PASSED | {"figures": figures | {"detector": detector}}
    api.answers["/runs"] = fake.runs(fake.RUN | {"mode": mode, "verdict": verdict})
    page = open_page("retrain")
    assert not page.exception
    return page


def compared(group: str) -> dict[str, Any]:
    return {
        "plan": "tune",
        "message": MESSAGE,
        "objections": [],
        "comparison": {
            "overall": fake.paired(230, 176, 181),
            "groups": {group: fake.paired(47, 6, 14)},
            "fruits": {"apple": fake.paired(69, 57, 58)},
        },
    }


def test_detector_is_compared_with_the_current_one(open_page: OpenPage, api: FakeApi) -> None:
    page = outcome(open_page, api, compared("boxed photos from catalog"))
    assert MESSAGE in page_text(page)
    table = page.dataframe[0].value
    assert table["Held-out photos"].tolist() == [
        "Boxed photos of your training data",
        "Boxed photos with apple: all of that kind found",
    ]
    assert table["Right now"].tolist() == [6, 57]
    assert table["Right with the new one"].tolist() == [14, 58]


@pytest.mark.parametrize("mode", ["full", "detector"])
def test_outcome_of_the_detector_is_said_in_one_line(
    open_page: OpenPage, api: FakeApi, mode: str
) -> None:
    found = compared("boxed photos from catalog")
    page = outcome(open_page, api, found, mode)
    [text] = [element.value for element in page.success if "It finds more" in element.value]
    assert "In 181 of 230 photos" in text
    assert "before, in 176" in text
    # No table of grades if no grader was made.
    metrics = [table for table in page.table if "Metric" in table.value]
    assert len(metrics) == (mode == "full")
    worse = outcome(open_page, api, found | {"objections": ["fewer"]}, mode)
    assert not [element for element in worse.success if "It finds" in element.value]
    [text] = [element.value for element in worse.warning if "not good enough" in element.value]
    assert ("finds them as before" in text) == (mode == "full")


def test_detector_run_is_named(open_page: OpenPage, api: FakeApi) -> None:
    page = outcome(open_page, api, compared("shop"), "detector")
    assert "Training to find fruit in 12 s." in [element.value for element in page.caption]
    api.answers["/runs"] = fake.runs(fake.RUNNING | {"mode": "detector", "losses": []})
    page = open_page("retrain")
    assert "Training to find fruit is running" in [element.value for element in page.subheader]


@pytest.mark.parametrize(
    ("mode", "option", "sent"),
    [
        ("full", "keep", {"mode": "full", "detector": "keep"}),
        ("full", "train", {"mode": "full", "detector": "train"}),
        ("detector", "auto", {"mode": "detector", "detector": "auto"}),
        ("detector", "train", {"mode": "detector", "detector": "train"}),
    ],
)
def test_detector_option_is_chosen_and_sent(
    open_page: OpenPage, api: FakeApi, mode: str, option: str, sent: dict[str, str]
) -> None:
    api.answers["/retrain/estimate"] = Answer(fake.ESTIMATE | {"boxed_photos": 12})
    page = open_page("retrain")
    page.radio(key="retrain_mode").set_value(mode).run()
    page.radio(key=f"retrain_detector_{mode}").set_value(option).run()
    button(page, "Retrain").click().run()
    assert not page.exception
    assert [json.loads(body) for body in api.sent_to("/retrain")] == [sent]


def test_finding_fruit_needs_new_boxes_or_starts_over(open_page: OpenPage, api: FakeApi) -> None:
    page = open_page("retrain")
    assert [one.key for one in page.radio] == ["retrain_mode"]
    page.radio(key="retrain_mode").set_value("detector").run()
    assert button(page, "Retrain").disabled
    assert "no new photos with boxes" in button(page, "Retrain").help
    page.radio(key="retrain_detector_detector").set_value("train").run()
    assert not button(page, "Retrain").disabled


def test_run_that_kept_the_detector_says_nothing_about_it(
    open_page: OpenPage, api: FakeApi
) -> None:
    page = outcome(open_page, api, {"plan": "keep", "message": ""})
    assert "Finding the fruits" not in page_text(page)


def test_names_from_outside_are_plain_text(open_page: OpenPage, api: FakeApi) -> None:
    strange = compared(EVIL) | {"message": EVIL}
    assert raw_texts(outcome(open_page, api, strange)) == []
