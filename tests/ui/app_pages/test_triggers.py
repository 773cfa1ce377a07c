"""“When to retrain” on the Monitoring page: each trigger, its mode and its settings."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui import fake_learning as fake
from tests.ui.app_pages.retrain_page import page_text, press
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import MODEL_INFO, Answer, FakeApi, problem


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> FakeApi:
    return fake.script(api)


def monitoring_page(open_page: OpenPage) -> AppTest:
    page = open_page("monitoring")
    assert not page.exception
    return page


def open_settings(page: AppTest, *names: str) -> None:
    for name in names:
        page.session_state[f"settings-of-{name}"] = True
    page.run()
    assert not page.exception


def captions(page: AppTest) -> list[str]:
    return [element.value for element in page.caption]


def test_triggers_show_mode_value_and_limit(open_page: OpenPage) -> None:
    page = monitoring_page(open_page)

    modes = [page.segmented_control(key=f"mode-{name}") for name in ("drift", "new-images")]
    assert [mode.value for mode in modes] == ["suggest", "suggest"]
    assert modes[0].options == ["Off", "Ask first", "Retrain", "Retrain and use"]
    assert page.segmented_control(key="mode-schedule").value == "off"
    assert "Now 60; due above 1000 images" in page_text(page)
    assert any(fake.RUN_ID in text and "16 Nov 2026, 03:00" in text for text in captions(page))
    assert "You are asked, on every page. Nothing starts by itself." in captions(page)


def test_mode_can_be_set(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/triggers/drift"] = Answer(fake.TRIGGERS["triggers"][0] | {"mode": "start"})
    page = monitoring_page(open_page)

    page.segmented_control(key="mode-drift").set_value("start").run()

    assert [json.loads(body) for body in api.sent_to("/triggers/drift")] == [{"mode": "start"}]


def test_rejected_mode_shows_the_actual_one_and_the_reason(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers["/triggers/drift"] = problem(503, "The catalog is away.")
    page = monitoring_page(open_page)

    page.segmented_control(key="mode-drift").set_value("off").run()

    assert page.segmented_control(key="mode-drift").value == "suggest"
    assert any("The catalog is away." in element.value for element in page.error)


@pytest.mark.parametrize(("promote", "waits"), [("gate", False), ("person", True)])
def test_page_says_where_a_person_promotes_all_the_same(
    open_page: OpenPage, api: FakeApi, promote: str, waits: bool
) -> None:
    api.answers["/model-info"] = Answer(MODEL_INFO | {"promote": promote})
    does_all = fake.trigger("drift", mode="start_and_promote")
    api.answers["/triggers"] = Answer({"triggers": [does_all]})

    page = monitoring_page(open_page)

    assert any("put in use if it passes the checks" in text for text in captions(page))
    assert any("until a person puts it in use" in text for text in captions(page)) == waits


def test_threshold_cooldown_and_schedule_can_be_set(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/triggers/new-images"] = Answer(fake.TRIGGERS["triggers"][1])
    api.answers["/triggers/schedule"] = Answer(fake.TRIGGERS["triggers"][2])
    page = monitoring_page(open_page)
    assert not page.number_input
    open_settings(page, "new-images", "schedule")

    threshold = next(element for element in page.number_input if "images" in element.label)
    assert (threshold.min, threshold.max) == (1, 1_000_000)
    next(element for element in page.number_input if element.value == 1000).set_value(500)
    press(page, "Save “New photos”")
    next(element for element in page.segmented_control if element.label == "When").set_value(
        "monthly"
    )
    press(page, "Save “Schedule”")

    assert [json.loads(body) for body in api.sent_to("/triggers/new-images")] == [
        {"threshold": 500.0, "cooldown_hours": 24.0}
    ]
    assert [json.loads(body) for body in api.sent_to("/triggers/schedule")] == [
        {"schedule": "monthly", "cooldown_hours": 24.0}
    ]


def test_suggestion_can_be_answered_on_its_card(open_page: OpenPage, api: FakeApi) -> None:
    asks = fake.trigger("new-images", suggestion=fake.SUGGESTION, reason="It waits for a person.")
    api.answers["/triggers"] = Answer({"triggers": [asks]})
    dismiss = f"/suggestions/{fake.SUGGESTION['suggestion_id']}/dismiss"
    api.answers[dismiss] = Answer(fake.SUGGESTION | {"state": "dismissed"})
    page = monitoring_page(open_page)

    assert "It waits for a person." in page_text(page)
    press(page, "Dismiss")

    assert len(api.sent_to(dismiss)) == 1


@pytest.mark.parametrize(
    ("mode", "says"), [("suggest", "Asks at the next check"), ("start", "Starts at the next check")]
)
def test_next_action_of_a_trigger_is_shown(
    open_page: OpenPage, api: FakeApi, mode: str, says: str
) -> None:
    due = fake.trigger("drift", mode=mode, would_fire=True)
    api.answers["/triggers"] = Answer({"triggers": [due]})

    page = monitoring_page(open_page)

    assert any(says in element.value for element in page.info)
