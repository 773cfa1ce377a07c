"""The History page: searching, opening, stepping, answering, dismissing."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, page_text
from tests.ui.app_pages.test_hostile_text import raw_texts
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, PREDICTION, Answer, FakeApi, problem
from tests.ui.fake_history import APPLE, BATCH, CAT, CURSOR, ITEMS, LIST, OLD, TRAY, page_of, script
from tests.ui.hostile_text import EVIL


@pytest.fixture(autouse=True)
def scripted(api: FakeApi, photo: bytes) -> None:
    script(api, photo)


def opened(open_page: OpenPage, prediction_id: str) -> AppTest:
    """The page with a photo opened by URL."""
    page = open_page("predict")
    page.query_params["prediction"] = prediction_id
    page.switch_page("app_pages/history.py").run()
    assert not page.exception
    return page


def asked(api: FakeApi) -> dict[str, list[str]]:
    """The query of the last search."""
    queries = [urlsplit(path).query for path, _ in api.received if path.startswith(f"{LIST}?")]
    return parse_qs(queries[-1])


def test_without_photos_the_page_says_what_to_do(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[LIST] = page_of()
    page = open_page("history")
    assert page.title[0].value == "History"
    assert "Nothing graded yet" in page_text(page)
    assert "Grade a photo on the Predict page" in page_text(page)


def test_rows_say_what_when_and_of_which_lot(open_page: OpenPage) -> None:
    page = open_page("history")
    # A word joiner keeps a colon from becoming an emoji.
    text = page_text(page).replace("\u2060", "")
    assert "1 to 3 of 4 photos" in text
    assert "**Fresh apple**\n" in text
    assert "**Fresh apple** :gray-badge[It is: Rotten apple]" in text
    assert "97.3 % sure · 21 Nov 2026, 10:00 · lot A-17 · lot.jpg" in text
    assert "**Not known**" in text
    assert "21 Nov 2026, 10:00 · cat.jpg" in text


def test_filters_are_asked_of_the_api(open_page: OpenPage, api: FakeApi) -> None:
    page = open_page("history")
    assert asked(api) == {"order": ["newest"], "limit": ["20"]}
    page.text_input(key="history_text").set_value(" A-17 ").run()
    assert asked(api) == {"search": ["A-17"], "order": ["newest"], "limit": ["20"]}
    page.segmented_control(key="history_order").set_value("Least sure first").run()
    assert asked(api)["order"] == ["least_sure"]
    assert asked(api)["dismissed"] == ["false"]
    page.selectbox(key="history_shows").set_value("*unknown").run()
    assert asked(api)["recognised"] == ["false"]
    page.selectbox(key="history_shows").set_value("*dismissed").run()
    assert asked(api)["dismissed"] == ["true"]
    page.selectbox(key="history_shows").set_value("*all").run()
    page.selectbox(key="history_level").set_value("rotten").run()
    page.slider(key="history_sure").set_value((50, 90)).run()
    found = asked(api)
    assert (found["level"], found["at_least"], found["below"]) == (["rotten"], ["0.5"], ["0.9"])
    # Unrecognised photos have a level too, but it means nothing.
    assert found["recognised"] == ["true"]


@pytest.mark.parametrize(("total", "is_too_much"), [(10_000, False), (10_001, True)])
def test_search_results_are_offered_as_a_workbook(
    open_page: OpenPage, api: FakeApi, total: int, *, is_too_much: bool
) -> None:
    api.answers[LIST] = page_of(ITEMS[APPLE], total=total)
    [workbook] = [getattr(one, "proto") for one in open_page("history").get("download_button")]  # noqa: B009
    assert (workbook.label, workbook.disabled) == ("Excel (XLSX)", is_too_much)
    assert ("10,000 photos" in workbook.help) is is_too_much


def test_filter_without_a_match_says_so(open_page: OpenPage, api: FakeApi) -> None:
    page = open_page("history")
    api.answers[LIST] = page_of()
    page.text_input(key="history_text").set_value("pear").run()
    assert "No photo matches" in page_text(page)


def test_pages_are_turned(open_page: OpenPage) -> None:
    page = open_page("history")
    assert button(page, "Previous page").disabled
    button(page, "Next page").click().run()
    assert "21 to 21 of 4 photos" in page_text(page)
    assert "old.jpg" in page_text(page)
    assert button(page, "Next page").disabled
    button(page, "Previous page").click().run()
    assert "apple.jpg" in page_text(page)


def test_photo_opens_and_the_next_ones_follow(open_page: OpenPage, api: FakeApi) -> None:
    page = open_page("history")
    page.button(key="history_0").click().run()
    assert not page.exception
    assert page.query_params["prediction"] == APPLE
    assert page.header[0].value == "Fresh apple"
    assert button(page, "Previous").disabled
    assert (button(page, "Previous").proto.shortcut, button(page, "Next").proto.shortcut) == (
        "left",
        "right",
    )
    shown = []
    for _ in range(3):
        button(page, "Next").click().run()
        assert not page.exception
        shown.append(page.query_params["prediction"])
    # The last is on the next page.
    assert shown == [TRAY, CAT, OLD]
    assert button(page, "Next").disabled
    button(page, "Previous").click().run()
    assert page.query_params["prediction"] == CAT
    button(page, "All photos").click().run()
    assert "prediction" not in page.query_params
    assert "1 to 3 of 4 photos" in page_text(page)


def test_next_page_that_cannot_be_loaded_is_tried_again(open_page: OpenPage, api: FakeApi) -> None:
    page = opened(open_page, CAT)
    following = f"{LIST}?order=newest&limit=20&after={CURSOR}"
    api.first[following].append(OUTAGE)
    button(page, "Next").click().run()
    assert page.query_params["prediction"] == CAT
    button(page, "Next").click().run()
    assert page.query_params["prediction"] == OLD


def test_photo_that_is_opened_by_its_address_has_a_next_one(open_page: OpenPage) -> None:
    page = opened(open_page, APPLE)
    button(page, "Next").click().run()
    assert page.query_params["prediction"] == TRAY


def test_photo_is_right_or_wrong(open_page: OpenPage, api: FakeApi) -> None:
    answer = {
        "prediction_id": APPLE,
        "label": "freshapples",
        "correct": True,
        "photograph": "stored",
        "image_id": None,
        "message": "Noted: the photo is a training image of freshapples.",
    }
    api.answers[f"{LIST}/{APPLE}/feedback"] = Answer(answer)
    page = opened(open_page, APPLE)
    button(page, "Yes, it is right").click().run()
    assert json.loads(api.sent_to(f"{LIST}/{APPLE}/feedback")[-1]) == {"correct": True}
    assert "training image of Fresh apple" in page_text(page)
    # The answer is only about this photo.
    page = opened(open_page, OLD)
    assert "Is this right?" in page_text(page)


def test_earlier_answer_is_shown_and_changed(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[f"{LIST}/{APPLE}"] = Answer(ITEMS[APPLE] | {"label": "rottenapples"})
    page = opened(open_page, APPLE)
    assert "A person said that it is **Rotten apple**." in page_text(page)
    assert "Is this right?" not in page_text(page)
    button(page, "Change the answer").click().run()
    assert "Is this right?" in page_text(page)
    # It has a label, which dismissing would contradict.
    assert "Dismiss: not a fruit" not in [one.label for one in page.button]


def test_photo_is_dismissed_and_that_is_undone(open_page: OpenPage, api: FakeApi) -> None:
    page = opened(open_page, CAT)
    button(page, "Dismiss: not a fruit").click().run()
    assert not page.exception
    assert "Dismissed: not a fruit" in page_text(page)
    button(page, "Undo").click().run()
    assert "Dismissed" not in page_text(page)
    assert len(api.sent_to(f"{LIST}/{CAT}/dismissal")) == 2


def test_dismissed_photo_is_marked(open_page: OpenPage, api: FakeApi) -> None:
    dismissed = ITEMS[CAT] | {"dismissed_at": "2026-11-21T11:00:00Z"}
    api.answers |= {LIST: page_of(dismissed), f"{LIST}/{CAT}": Answer(dismissed)}
    assert ":gray-badge[Not a fruit]" in page_text(open_page("history"))
    assert "Dismissed: not a fruit" in page_text(opened(open_page, CAT))


def test_rejected_dismissal_is_explained(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[f"{LIST}/{CAT}/dismissal"] = problem(409, "A person has said what it is.")
    page = opened(open_page, CAT)
    button(page, "Dismiss: not a fruit").click().run()
    assert "A person has said what it is" in page_text(page)


def test_heat_map_is_of_the_prediction(open_page: OpenPage, api: FakeApi) -> None:
    explain = f"/predict?explain=true&prediction_id={APPLE}"
    api.answers[explain] = Answer(
        PREDICTION | {"explanation": {"heatmap": "data:image/png;base64,"}}
    )
    api.answers[explain] = problem(409, "Another version is in use.", "other-version")
    page = opened(open_page, APPLE)
    page.toggle(key="heat_map").set_value(True).run()
    assert not page.exception
    assert "The version in use now cannot show" in page_text(page)


def test_photo_of_a_lot_is_corrected_there(open_page: OpenPage) -> None:
    page = opened(open_page, TRAY)
    [link] = page.get("page_link")
    assert "Open lot A-17" in getattr(link, "proto").label  # noqa: B009
    assert "Is this right?" not in page_text(page)


def test_photo_that_is_no_longer_kept_has_its_grade(open_page: OpenPage) -> None:
    page = opened(open_page, CAT)
    assert page.header[0].value == "Not one of the fruits that I know"
    assert "no longer kept" in page_text(page)


def test_unknown_photo_leads_back(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[f"{LIST}/{CAT}"] = problem(404, "There is none.", "prediction-not-found")
    assert "There is no such photo" in page_text(opened(open_page, CAT))


def test_batch_is_found_again(open_page: OpenPage, api: FakeApi) -> None:
    page = open_page("predict")
    page.query_params["batch"] = BATCH
    page.switch_page("app_pages/history.py").run()
    assert asked(api)["batch_id"] == [BATCH]
    button(page, "Show all photos").click().run()
    assert "batch_id" not in asked(api)


def test_table_of_a_batch_survives_a_reload(open_page: OpenPage, api: FakeApi) -> None:
    first = f"{LIST}?batch_id={BATCH}&order=oldest&limit=200"
    api.answers[first] = page_of(ITEMS[APPLE], ITEMS[CAT], following=CURSOR, total=3)
    api.answers[f"{first}&after={CURSOR}"] = page_of(ITEMS[OLD], total=3)
    page = open_page("predict")
    page.query_params["batch"] = BATCH
    page.segmented_control(key="photo_source").set_value("Many photos").run()
    assert not page.exception
    table = page.dataframe[0].value
    assert table["File"].tolist() == ["apple.jpg", "cat.jpg", "old.jpg"]
    assert table["Grade"].tolist() == ["Fresh apple", "Not known", "Rotten apple"]
    assert "does not list files that could not be graded" in page_text(page)
    button(page, "Grade other photos").click().run()
    assert "batch" not in page.query_params
    assert not page.dataframe


def test_outage_is_reported(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/health"] = OUTAGE
    assert "This page continues by itself" in page_text(open_page("history"))


def test_text_from_outside_is_plain_text(open_page: OpenPage, api: FakeApi) -> None:
    evil = {"filename": EVIL, "lot": EVIL, "label": EVIL, "model_version": EVIL}
    each = ITEMS[APPLE] | evil
    api.answers |= {LIST: page_of(each), f"{LIST}/{APPLE}": Answer(each)}
    for page in (open_page("history"), opened(open_page, APPLE)):
        assert not raw_texts(page)
