"""The Retrain page: new photos, the run, its verdict, versions, triggers, past runs."""

import json

import pytest
from formatting import TEST_ACCURACY
from streamlit.testing.v1 import AppTest

from tests.synthetic_images import draw_fruit, encode
from tests.ui import fake_learning as fake
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, Answer, FakeApi, problem


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> FakeApi:
    return fake.script(api)


AT = "2026-11-21T10:00:00Z"


def retrain_page(open_page: OpenPage, tab: str = "") -> AppTest:
    page = open_page("retrain")
    if tab:
        page.session_state["retrain_tab"] = tab
        page.run()
    assert not page.exception
    return page


def page_text(page: AppTest) -> str:
    return "\n".join(element.value for element in page.markdown)


def has_button(page: AppTest, label: str) -> bool:
    return any(element.label == label for element in page.button)


def press(page: AppTest, label: str) -> AppTest:
    next(element for element in page.button if element.label == label).click().run()
    assert not page.exception
    return page


def test_page_shows_the_changes_and_the_duration_of_each_mode(open_page: OpenPage) -> None:
    page = retrain_page(open_page)

    assert "60 photos in 2 classes, 2 corrected labels, 1 removed" in page_text(page)
    assert page.radio(key="retrain_mode").value == "fast"
    fast, full, find = page.radio(key="retrain_mode").proto.captions
    assert "about 10 seconds" in fast
    assert "about 9 minutes" in full
    assert "about 3 minutes" in find
    assert not page.progress


def test_new_photos_are_drawn_by_class_on_request(open_page: OpenPage) -> None:
    page = retrain_page(open_page)
    assert "By class" in [element.label for element in page.expander]
    assert not page.get("plotly_chart")
    page.session_state["new_by_class"] = True
    page.run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 1


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_retrain_button_starts_a_run_and_shows_it(
    open_page: OpenPage, api: FakeApi, mode: str
) -> None:
    page = retrain_page(open_page)
    page.radio(key="retrain_mode").set_value(mode).run()
    api.first["/runs"].extend([fake.runs(fake.RUNNING)] * 3)

    press(page, "Retrain")

    sent = [json.loads(body) for body in api.sent_to("/retrain")]
    assert sent == [{"mode": mode, "detector": "auto"}]
    assert "Thorough retraining is running" in [element.value for element in page.subheader]
    assert not has_button(page, "Retrain")


def test_without_changes_only_the_thorough_mode_can_be_started(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers["/retrain/estimate"] = Answer(fake.NOTHING_NEW)

    page = retrain_page(open_page)

    assert "Nothing new to learn" in page_text(page)
    assert "Training data" in page_text(page)
    assert page.button[0].disabled
    page.radio(key="retrain_mode").set_value("full").run()
    assert not page.button[0].disabled


def test_classes_that_are_too_small_are_named(open_page: OpenPage, api: FakeApi) -> None:
    small = {"freshbananna": 1, "kiwi": 5}
    api.answers["/retrain/estimate"] = Answer(fake.NOTHING_NEW | {"left_out": small})
    verdict = fake.PASSED | {"figures": fake.FIGURES | {"left_out_classes": small}}
    api.answers["/runs"] = fake.runs(fake.RUN | {"verdict": verdict})

    page = retrain_page(open_page)

    shown = [element.value for element in page.info]
    assert len(shown) == 2
    assert all("Fresh bananna (1 photo), Kiwi (5 photos)" in text for text in shown)


def test_photos_with_boxes_are_for_a_thorough_retraining(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/retrain/estimate"] = Answer(fake.NOTHING_NEW | {"boxed_photos": 12})
    page = retrain_page(open_page)
    [shown] = [element.value for element in page.info]
    assert "12 photos with boxes" in shown
    assert "thorough" in shown
    assert "Nothing new to learn" not in page_text(page)


def test_classes_that_cannot_be_told_apart_are_named(open_page: OpenPage, api: FakeApi) -> None:
    figures = fake.FIGURES | {"unlearnable_classes": {"mixed": 12}}
    api.answers["/runs"] = fake.runs(fake.RUN | {"verdict": fake.PASSED | {"figures": figures}})

    page = retrain_page(open_page)

    [text] = [element.value for element in page.info if "cannot be told" in element.value]
    assert "Mixed (12 photos)" in text


def test_photos_that_cannot_be_read_are_named(open_page: OpenPage, api: FakeApi) -> None:
    names = ["![x](http://a.example/b.png).jpg", *(f"{k}.jpg" for k in range(6))]
    photos = [{"image_id": name, "filename": name, "reason": "damaged"} for name in names]
    api.answers["/retrain/estimate"] = Answer(fake.ESTIMATE | {"unreadable": photos})
    figures = fake.FIGURES | {"skipped": 7, "skipped_photos": photos}
    api.answers["/runs"] = fake.runs(fake.RUN | {"verdict": fake.PASSED | {"figures": figures}})

    page = retrain_page(open_page)

    shown = [element.value for element in page.warning]
    assert len(shown) == 2
    assert all(f"`{names[0]}`, `0.jpg`" in text for text in shown)
    assert all("and 2 more" in text for text in shown)


def test_photos_that_contradict_the_current_model_are_shown(
    open_page: OpenPage, api: FakeApi
) -> None:
    found = {"uploads": 40, "contradicted": 30, "image_ids": ["a1", "b2"]}
    figures = fake.FIGURES | {"contradictions": found}
    api.answers["/runs"] = fake.runs(fake.RUN | {"verdict": fake.NOT_PASSED | {"figures": figures}})
    photo = encode(draw_fruit("freshapples"), "JPEG")
    api.answers["/dataset/images/a1/photograph"] = Answer(photo, content_type="image/jpeg")

    page = retrain_page(open_page)

    [expander] = [one for one in page.expander if "contradicts" in one.label]
    assert "over 90 % sure" in expander.markdown[0].value
    # The other was removed since.
    assert not expander.caption


def test_rejected_start_shows_the_detail_of_the_api(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/retrain"] = problem(409, "Run 7 is queued or running.")

    page = press(retrain_page(open_page), "Retrain")

    assert "Run 7 is queued or running." in page.error[0].value
    assert "The retraining does not start" in page.error[0].value


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
    waiting = "Waiting, but no worker is running: start it with make run."
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
    assert not has_button(page, "Promote it anyway")


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
    answer = {"version": fake.CANDIDATE, "replaced": fake.CHAMPION, "kind": "manual", "at": AT}
    api.answers[promote] = Answer(answer)
    page = retrain_page(open_page)
    shown = [element.value for element in page.info]
    assert any("passed the checks and waits for you" in text for text in shown)
    assert not has_button(page, "Promote it anyway")

    press(page, "Promote it")
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
    api.answers[promote] = Answer(
        {"version": fake.CANDIDATE, "replaced": fake.CHAMPION, "kind": "manual", "at": AT}
    )
    page = retrain_page(open_page)
    assert "did not pass the checks" in page.warning[0].value
    assert "It is worse on Fresh apple" in page.warning[0].value

    press(page, "Promote it anyway")
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


def test_versions_are_listed_with_their_accuracy(open_page: OpenPage) -> None:
    page = retrain_page(open_page)

    table = page.dataframe[0].value
    assert table["Version"].tolist()[:2] == [fake.CANDIDATE, fake.CHAMPION]
    assert table["State"].tolist() == [
        "Never in use",
        "In use now",
        "In use before",
        "Files removed",
    ]
    assert table[TEST_ACCURACY].tolist() == ["97.0 %", "98.3 %", "—", "95.0 %"]
    assert page.selectbox[0].options == [fake.CANDIDATE, "20261119-100000-0000000"]
    changes = page.dataframe[1].value
    assert changes["How"].tolist() == ["Passed the checks", "The first one"]


def test_rollback_needs_confirmation_and_names_the_version(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers["/models/rollback"] = Answer(
        {
            "version": "20261119-100000-0000000",
            "replaced": fake.CHAMPION,
            "kind": "rollback",
            "at": AT,
        }
    )
    page = press(retrain_page(open_page), "Roll back")

    assert "Version `20261119-100000-0000000` will replace" in page_text(page)
    assert page.table[0].value["In use now"].tolist() == ["98.0 %", "1.0 %"]
    assert page.table[0].value["New"].tolist() == ["97.0 %", "—"]
    assert not api.sent_to("/models/rollback")
    page.button(key="confirm-rollback").click().run()

    assert len(api.sent_to("/models/rollback")) == 1
    assert not page.exception


def test_rejected_rollback_is_shown(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/models/rollback"] = problem(409, "Its files were removed to make room.")
    page = press(retrain_page(open_page), "Roll back")

    page.button(key="confirm-rollback").click().run()

    assert "Its files were removed to make room." in page.error[0].value


def test_with_one_version_promote_and_rollback_are_disabled(
    open_page: OpenPage, api: FakeApi
) -> None:
    only = fake.version(fake.CHAMPION, "champion", 0.98)
    api.answers["/models"] = Answer(
        {"champion": fake.CHAMPION, "rollback_to": None, "models": [only]}
    )

    page = retrain_page(open_page)

    assert [element.disabled for element in page.button] == [False, True, True]


def test_triggers_show_value_and_threshold(open_page: OpenPage) -> None:
    page = retrain_page(open_page, "Triggers")

    assert [(element.label, element.value) for element in page.toggle] == [
        ("**Drift of the photos**", True),
        ("**New photos**", True),
        ("**Schedule**", False),
    ]
    assert "Now 60; starts above 1000 images" in page_text(page)
    captions = [element.value for element in page.caption]
    assert any(fake.RUN_ID in text and "16 Nov 2026, 03:00" in text for text in captions)


def test_trigger_can_be_switched_off(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/triggers/drift"] = Answer(fake.TRIGGERS["triggers"][0] | {"enabled": False})
    page = retrain_page(open_page, "Triggers")

    page.toggle[0].set_value(False).run()

    assert [json.loads(body) for body in api.sent_to("/triggers/drift")] == [{"enabled": False}]


def test_rejected_switch_shows_the_actual_state_and_the_reason(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers["/triggers/drift"] = problem(503, "The catalog is away.")
    page = retrain_page(open_page, "Triggers")

    page.toggle[0].set_value(False).run()

    assert page.toggle[0].value
    assert "The catalog is away." in page.error[0].value


def test_threshold_cooldown_and_schedule_can_be_set(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/triggers/new-images"] = Answer(fake.TRIGGERS["triggers"][1])
    api.answers["/triggers/schedule"] = Answer(fake.TRIGGERS["triggers"][2])
    page = retrain_page(open_page, "Triggers")

    threshold = next(element for element in page.number_input if "images" in element.label)
    assert (threshold.min, threshold.max) == (1, 1_000_000)
    next(element for element in page.number_input if element.value == 1000).set_value(500)
    press(page, "Save “New photos”")
    next(element for element in page.segmented_control).set_value("monthly")
    press(page, "Save “Schedule”")

    assert [json.loads(body) for body in api.sent_to("/triggers/new-images")] == [
        {"threshold": 500.0, "cooldown_hours": 24.0}
    ]
    assert [json.loads(body) for body in api.sent_to("/triggers/schedule")] == [
        {"schedule": "monthly", "cooldown_hours": 24.0}
    ]


def test_past_runs_are_listed(open_page: OpenPage, api: FakeApi) -> None:
    by_trigger = fake.RUN | {"started_by": "trigger:new-images", "verdict": fake.NOT_PASSED}
    api.answers["/runs"] = fake.runs(fake.RUN, by_trigger)

    page = retrain_page(open_page, "Past runs")

    table = page.dataframe[0].value
    assert table["Outcome"].tolist() == ["Passed the checks", "Did not pass the checks"]
    assert table["Started by"].tolist() == ["A person", "The trigger “new-images”"]
    assert table["Took"].tolist() == ["12 s", "12 s"]


def test_empty_run_list_says_so(open_page: OpenPage) -> None:
    assert "No run yet" in page_text(retrain_page(open_page, "Past runs"))


def test_without_a_champion_the_page_says_what_to_do(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/retrain/estimate"] = problem(409, "No model version serves. Promote one.")
    api.answers["/models"] = Answer({"champion": None, "rollback_to": None, "models": []})

    page = retrain_page(open_page)

    assert "No model version serves. Promote one." in page.error[0].value
    assert "make train" in page_text(page)


def test_error_in_one_part_does_not_hide_the_others(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/retrain/estimate"] = OUTAGE

    page = retrain_page(open_page)

    assert "in trouble" in page.warning[0].value
    assert len(page.dataframe) == 2


def test_error_is_shown_and_can_be_retried(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/models"] = problem(503, "The catalog cannot be read.")
    page = retrain_page(open_page)
    assert "The catalog cannot be read." in page.error[0].value

    api.answers["/models"] = Answer(fake.MODELS)
    press(page, "Try again")

    assert not page.error


def test_slow_api_is_reported(
    open_page: OpenPage, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIPELINE_API_TIMEOUT", "0.2")
    api.slow.add("/runs")

    page = retrain_page(open_page)

    assert "taking too long" in page.error[0].value


def test_outage_is_reported(open_page: OpenPage, api: FakeApi) -> None:
    api.stop()

    page = retrain_page(open_page)

    assert api.address in page.warning[0].value
