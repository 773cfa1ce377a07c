"""The Retrain page while a run trains, and its verdict."""

import json

import pytest

from tests.ui import fake_learning as fake
from tests.ui.app_pages.retrain_page import AT, has_button, press, retrain_page
from tests.ui.app_pages.retrain_page import scripted as scripted  # noqa: PLC0414 - a fixture
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi

PROMOTED = {
    "version": fake.CANDIDATE,
    "replaced": fake.CHAMPION,
    "kind": "manual",
    "at": AT,
    "lacks_thresholds": [],
}


def test_running_run_shows_progress_time_left_and_losses(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/runs"] = fake.runs(fake.RUNNING)

    page = retrain_page(open_page)

    assert page.progress[0].value == 40
    assert page.progress[0].text == "Fine-tuning (310 of 775)."
    [text] = [element.value for element in page.caption if "Started by" in element.value]
    assert "40 %" in text
    assert "Started by a person" in text
    assert "about 5 minutes left" in text
    assert len(page.get("plotly_chart")) == 1


def test_run_can_be_cancelled(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/runs"] = fake.runs(fake.RUNNING)
    cancel = f"/runs/{fake.RUN_ID}/cancel"
    api.answers[cancel] = Answer(fake.RUNNING | {"cancel_requested": True}, 202)
    page = retrain_page(open_page)
    api.answers["/runs"] = fake.runs(fake.RUNNING | {"cancel_requested": True})

    press(page, "Cancel this run")

    assert len(api.sent_to(cancel)) == 1
    [asks] = [each.proto.popover for each in page.get("popover")]
    assert (asks.label, asks.disabled) == ("Being cancelled", True)


def test_cancelling_a_run_is_asked_about_first(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/runs"] = fake.runs(fake.RUNNING)

    page = retrain_page(open_page)

    assert not has_button(page, "Cancel")
    [asks] = page.get("popover")
    assert (asks.proto.popover.label, asks.button[0].label) == ("Cancel", "Cancel this run")
    assert "will be lost" in asks.markdown[0].value


def test_without_a_worker_the_page_says_what_to_do(open_page: OpenPage, api: FakeApi) -> None:
    waiting = "Waiting. If no worker is running, start it with make run."
    api.answers["/runs"] = fake.runs(
        fake.RUNNING | {"state": "queued", "message": waiting, "started_at": None, "losses": []}
    )

    page = retrain_page(open_page)

    assert page.info[0].value == waiting
    assert not page.progress


def test_promoted_candidate_is_compared_with_the_previous_champion(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers["/runs"] = fake.runs(fake.RUN)
    api.answers["/models"] = Answer(fake.MODELS | {"champion": fake.CANDIDATE})
    api.answers["/retrain/estimate"] = Answer(fake.NOTHING_NEW | {"champion": fake.CANDIDATE})

    page = retrain_page(open_page)

    assert f"Version {fake.CANDIDATE} passed the checks and is now in use" in page.success[0].value
    assert "211 of 215" in page.success[0].value
    table = page.table[0].value
    assert table["Current"][0] == "97.7 % (210 of 215)"
    assert table["New"][0] == "98.1 % (211 of 215)"
    assert "New class: Kiwi" in table["Metric"].tolist()
    assert any("same 215 held-out photos" in element.value for element in page.caption)
    assert not has_button(page, "Put it in use anyway")


@pytest.mark.parametrize("nothing_new", [True, False])
def test_verdict_comes_first_if_nothing_else_is_new(
    open_page: OpenPage, api: FakeApi, nothing_new: bool
) -> None:
    api.answers["/runs"] = fake.runs(fake.RUN)
    estimate = fake.NOTHING_NEW if nothing_new else fake.ESTIMATE
    api.answers["/retrain/estimate"] = Answer(estimate)

    texts = [str(getattr(element, "value", "")) for element in retrain_page(open_page).main]

    asked = next(n for n, text in enumerate(texts) if text.startswith(("### ", "New since")))
    verdict = next(n for n, text in enumerate(texts) if "passed the checks" in text)
    assert (verdict < asked) is nothing_new


def test_candidate_that_passed_waits_for_a_person_to_promote_it(
    open_page: OpenPage, api: FakeApi
) -> None:
    waiting = fake.PASSED | {"promote": False, "passed": True}
    api.answers["/runs"] = fake.runs(fake.RUN | {"verdict": waiting})
    promote = f"/models/{fake.CANDIDATE}/promote"
    api.answers[promote] = Answer(PROMOTED)
    page = retrain_page(open_page)
    shown = [element.value for element in page.info]
    assert any("passed the checks and waits for you" in text for text in shown)
    assert not has_button(page, "Put it in use anyway")

    press(page, "Put it in use")
    assert not any("did not pass" in element.value for element in page.warning)
    page.button(key="confirm-promotion").click().run()

    assert len(api.sent_to(promote)) == 1
    assert not page.exception


def test_promotion_by_a_key_without_the_scope_names_it(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/runs"] = fake.runs(fake.RUN | {"verdict": fake.NOT_PASSED})
    detail = "This needs an API key with the scope 'models'."
    body = {"title": "Forbidden", "status": 403, "code": "scope-too-small", "detail": detail}
    api.answers["/retrain"] = Answer(body, status=403)

    page = press(retrain_page(open_page), "Retrain")

    assert "This app is not allowed to do that" in page.error[0].value
    assert detail in page.error[0].value
    assert "RIPELINE_API_KEY" in page.error[0].value


def test_rejected_candidate_can_be_promoted_after_confirmation(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers["/runs"] = fake.runs(fake.RUN | {"verdict": fake.NOT_PASSED})
    promote = f"/models/{fake.CANDIDATE}/promote"
    api.answers[promote] = Answer(PROMOTED)
    page = retrain_page(open_page)
    assert "did not pass the checks" in page.warning[0].value
    assert "It is worse on Fresh apple" in page.warning[0].value

    press(page, "Put it in use anyway")
    assert not api.sent_to(promote)
    assert any("It did not pass the checks" in element.value for element in page.warning)
    page.button(key="confirm-promotion").click().run()

    assert len(api.sent_to(promote)) == 1
    assert not page.exception


@pytest.mark.parametrize(
    ("state", "expected"), [("failed", "failed"), ("interrupted", "interrupted")]
)
def test_failed_run_shows_the_reason_and_another_can_be_started(
    open_page: OpenPage, api: FakeApi, state: str, expected: str
) -> None:
    ended = {"state": state, "message": "Memory ran out.", "candidate": None, "verdict": None}
    api.answers["/runs"] = fake.runs(fake.RUN | ended)

    page = retrain_page(open_page)

    [text] = [element.value for element in (*page.error, *page.info)]
    assert expected in text
    assert "Memory ran out." in text
    assert not page.button[0].disabled


@pytest.mark.parametrize("state", ["cancelled", "interrupted"])
def test_cancelled_run_is_started_again_with_its_options(
    open_page: OpenPage, api: FakeApi, state: str
) -> None:
    options = {"epochs": 3, "detector": "keep", "promote": "person"}
    ended = {"state": state, "mode": "full", "options": options, "verdict": None}
    api.answers["/runs"] = fake.runs(fake.RUNNING | ended)
    api.answers["/retrain"] = Answer(fake.STARTED, 202)
    page = retrain_page(open_page)

    press(page, "Start again")

    [body] = api.sent_to("/retrain")
    assert json.loads(body) == {"mode": "full", "epochs": 3, "detector": "keep"}
