"""The Retrain page: new photos, the run, its verdict, versions, triggers, past runs."""

import json

import pytest

from tests.synthetic_images import draw_fruit, encode
from tests.ui import fake_learning as fake
from tests.ui.app_pages.retrain_page import has_button, page_text, press, retrain_page
from tests.ui.app_pages.retrain_page import scripted as scripted  # noqa: PLC0414 - a fixture
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, Answer, FakeApi, problem


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


def test_version_that_was_just_put_in_use_is_asked_for_once(
    open_page: OpenPage, api: FakeApi
) -> None:
    """What is new is cached for some seconds, and is still that of the version before."""
    api.first["/retrain/estimate"].append(Answer(fake.ESTIMATE))
    api.answers["/retrain/estimate"] = Answer(fake.ESTIMATE | {"champion": fake.CANDIDATE})
    api.answers["/models"] = Answer(fake.MODELS | {"champion": fake.CANDIDATE})

    retrain_page(open_page)

    assert len(api.sent_to("/models")) == 2


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
    # The other photo has been removed since.
    assert not expander.caption


def test_rejected_start_shows_the_detail_of_the_api(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/retrain"] = problem(409, "Run 7 is queued or running.")

    page = press(retrain_page(open_page), "Retrain")

    assert "Run 7 is queued or running." in page.error[0].value
    assert "The retraining did not start" in page.error[0].value


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
