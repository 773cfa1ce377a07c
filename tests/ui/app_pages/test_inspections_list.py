"""The Inspections page without an open lot: opening one, listing and searching."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.ui.app_pages.pages import button, page_text
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi
from tests.ui.fake_collect import SUMMARY
from tests.ui.fake_lots import (
    BEGUN,
    ID,
    LIST,
    LOT,
    NEW,
    page_of,
    script,
)


@pytest.fixture(autouse=True)
def scripted(api: FakeApi, photo: bytes) -> None:
    script(api, photo)


def test_without_inspections_the_page_says_what_to_do(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[LIST] = page_of("inspections", [])
    page = open_page("inspections")
    assert page.title[0].value == "Inspections"
    assert "No inspections yet" in page_text(page)
    assert "Name a lot above and open it" in page_text(page)


@pytest.mark.parametrize(
    ("typed", "kind"), [(None, ""), ("App", "apple"), ("Mango", "Mango")], ids=str
)
def test_lot_is_opened_with_what_is_tolerated(
    open_page: OpenPage, api: FakeApi, typed: str | None, kind: str
) -> None:
    api.answers |= {LIST: page_of("inspections", []), "/dataset/summary": Answer(SUMMARY)}
    page = open_page("inspections")
    page.text_input[0].set_value("A-17")
    page.text_input[1].set_value("Hofgut Lindau")
    page.selectbox[0].set_value(typed)
    page.number_input[0].set_value(2.5)
    api.answers |= {LIST: Answer(NEW, 201), LOT: Answer(NEW)}
    button(page, "Open the inspection").click().run()
    assert not page.exception
    assert json.loads(api.sent_to(LIST)[-1]) == {
        "lot": "A-17",
        "supplier": "Hofgut Lindau",
        "kind": kind,
        "max_rotten": 0.025,
        "max_past_best": 0.1,
        "confidence": 0.95,
    }
    assert page.query_params["inspection"] == ID
    assert page.title[0].value == "Lot A-17"
    assert "Photograph about 88 fruits" in page_text(page)


def test_lot_needs_a_name(open_page: OpenPage, api: FakeApi) -> None:
    page = open_page("inspections")
    button(page, "Open the inspection").click().run()
    assert "Name the lot first." in page_text(page)
    assert not any(api.sent_to(LIST))


def test_profile_of_the_last_lot_is_offered_again(open_page: OpenPage, api: FakeApi) -> None:
    changes = {"max_rotten": 0.02, "max_past_best": None, "confidence": 0.85}
    api.answers[LIST] = page_of("inspections", [BEGUN | changes])
    page = open_page("inspections")
    assert [one.value for one in page.number_input] == [2.0, None]
    assert page.selectbox[1].value == 0.85


def test_inspections_are_listed_and_found_again(open_page: OpenPage, api: FakeApi) -> None:
    page = open_page("inspections")
    text = page_text(page)
    assert page.subheader[0].value == "Lot A-17 :gray-badge[Not sure yet]"
    assert "Hofgut Lindau · Apple · opened 29 Nov 2026, 10:00 · 4 fruits in 1 photo" in text
    page.text_input(key="inspection_search").set_value("lindau").run()
    queries = [urlsplit(path).query for path, _ in api.received if path.startswith(f"{LIST}?")]
    assert parse_qs(queries[-1]) == {"search": ["lindau"], "offset": ["0"], "limit": ["20"]}
    api.answers[f"{LIST}?search=none&offset=0&limit=20"] = page_of("inspections", [])
    page.text_input(key="inspection_search").set_value("none").run()
    assert "No inspection matches" in page_text(page)


def test_listed_inspection_opens_and_closes(open_page: OpenPage) -> None:
    page = open_page("inspections")
    page.button(key=f"open_{ID}").click().run()
    assert page.title[0].value == "Lot A-17"
    button(page, "All inspections").click().run()
    assert page.title[0].value == "Inspections"
    assert "inspection" not in page.query_params


def test_page_beyond_the_last_shows_the_last_one(open_page: OpenPage, api: FakeApi) -> None:
    """Somebody else has deleted the inspections that were on it."""
    gone = {"total": 1, "offset": 40, "limit": 20, "inspections": []}
    api.answers[f"{LIST}?offset=40&limit=20"] = Answer(gone)
    page = open_page("inspections")
    page.session_state["inspections_page__None_None"] = 3
    page.run()
    assert not page.exception
    assert page.subheader[0].value.startswith("Lot A-17")
