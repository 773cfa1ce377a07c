"""The Model report page: a version that grades along with the one in use."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, page_text
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi, problem
from tests.ui.fake_insights import CHAMPION
from tests.ui.fake_report import PREVIOUS, details, script

ABOUT = "Nobody is shown its grades but you"
SHADOW = f"/models/{PREVIOUS}/shadow"
OFF: dict[str, Any] = {
    "version": PREVIOUS,
    "state": "off",
    "beside": None,
    "share": None,
    "photos": None,
    "started_at": None,
    "ended_at": None,
    "graded": 0,
    "same": 0,
    "different": 0,
    "failed": 0,
    "agreement": None,
    "low": 0.0,
    "high": 1.0,
    "below_min": False,
    "differences": [],
}
RUNNING = OFF | {
    "state": "running",
    "beside": CHAMPION,
    "share": 0.1,
    "photos": 500,
    "started_at": "2026-11-30T10:00:00Z",
    "graded": 100,
    "same": 96,
    "different": 4,
    "agreement": 0.96,
    "low": 0.902,
    "high": 0.984,
    "differences": [
        {
            "in_use": {"predicted_class": "freshapples", "freshness_level": "past_best"},
            "shadow": {"predicted_class": "rottenapples", "freshness_level": "rotten"},
            "count": 3,
            "examples": ["4f1d"],
        },
        {
            "in_use": {"predicted_class": None, "freshness_level": None},
            "shadow": {"predicted_class": "fresh*kiwi*", "freshness_level": "fresh"},
            "count": 1,
            "examples": [],
        },
    ],
}


def opened(open_page: OpenPage, api: FakeApi, status: str = "retired") -> AppTest:
    """The Compare part, for the previous version."""
    api.answers[f"/models/{PREVIOUS}"] = Answer(
        details({}) | {"version": PREVIOUS, "status": status}
    )
    page = open_page("model_report")
    page.selectbox(key="reported_version").select(PREVIOUS).run()
    control: Any = page.segmented_control(key="report_part")
    control.set_value("Compare").run()
    assert not page.exception
    return page


@pytest.fixture(autouse=True)
def service(api: FakeApi) -> None:
    script(api)
    api.answers[SHADOW] = Answer(OFF)


def test_shadow_grading_is_started(open_page: OpenPage, api: FakeApi) -> None:
    page = opened(open_page, api)
    assert ABOUT in page_text(page)
    page.selectbox[-2].select("Half of them").run()
    page.selectbox[-1].select(200).run()
    api.answers[SHADOW] = lambda body: Answer(RUNNING)
    button(page, "Let it grade along").click().run()
    assert {"share": 0.5, "photos": 200} in [
        json.loads(body) for body in api.sent_to(SHADOW) if body
    ]
    button(page, "Stop grading along")


def test_agreement_and_differences_are_shown(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[SHADOW] = Answer(RUNNING)
    page = opened(open_page, api)
    text = page_text(page).replace("\N{NO-BREAK SPACE}", " ")
    assert {metric.label: metric.value for metric in page.metric}.items() >= {
        "Graded by both": "100",
        "The same": "96",
        "Different": "4",
    }.items()
    assert "96.0 % of the photos the same; of all that come, likely 90.2 % to 98.4 %" in text
    assert "Fresh apple, past its best by the version in use, rotten apple" in text
    assert "Not known by the version in use, fresh" in text
    assert r"fresh \*kiwi\*" in text
    assert "less than was asked for" not in text
    assert "Let it grade along" not in [one.label for one in page.button]
    assert any("/predictions/4f1d/photograph" in path for path, _ in api.received)


def test_too_little_agreement_is_a_warning(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[SHADOW] = Answer(RUNNING | {"below_min": True, "state": "complete"})
    page = opened(open_page, api)
    assert "less than was asked for" in page.warning[-1].value
    assert "It has graded all of its photos." in page_text(page)
    button(page, "Let it grade along")


def test_rejection_by_the_service_is_shown(open_page: OpenPage, api: FakeApi) -> None:
    page = opened(open_page, api)
    refused = problem(409, "Version 'x' already grades beside the one in use.", "other-shadow")
    api.answers[SHADOW] = lambda body: refused if body else Answer(OFF)
    button(page, "Let it grade along").click().run()
    assert "already grades beside the one in use" in page_text(page)


@pytest.mark.parametrize("status", ["champion", "pruned"])
def test_version_in_use_or_without_files_cannot_grade_along(
    open_page: OpenPage, api: FakeApi, status: str
) -> None:
    page = opened(open_page, api, status)
    assert ABOUT not in page_text(page)
