"""Undoing a removal of inspections or their photos, at once or days later."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, page_text
from tests.ui.app_pages.test_hostile_text import raw_texts
from tests.ui.app_pages.test_inspections import open_lot
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi, problem
from tests.ui.fake_lots import (
    BEGUN,
    ID,
    LIST,
    LOT,
    NEW,
    OTHER_ID,
    PHOTO,
    PHOTO_ID,
    PHOTOS,
    REMOVED,
    REMOVED_LOT,
    REMOVED_PHOTO,
    REMOVED_PHOTOS,
    page_of,
    removed_of,
    script,
)
from tests.ui.hostile_text import EVIL

__all__ = ["open_lot"]
OpenLot = Callable[[], AppTest]
REMOVE = f"{PHOTOS}/{PHOTO_ID}"
RESTORE, RESTORE_PHOTO = f"{LOT}/restore", f"{REMOVE}/restore"


@pytest.fixture(autouse=True)
def scripted(api: FakeApi, photo: bytes) -> None:
    script(api, photo)
    api.answers |= {
        REMOVE: Answer("", 204),
        RESTORE_PHOTO: Answer(PHOTO),
        RESTORE: Answer(BEGUN),
    }


def labels(page: AppTest) -> list[str]:
    return [one.label for one in page.button]


def paths(api: FakeApi) -> list[str]:
    return [path for path, _ in api.received]


def remove_photo(page: AppTest) -> AppTest:
    page.button(key="lot_photo_1").click().run()
    button(page, "Remove it").click().run()
    return page.run()


def test_removed_photo_is_put_back_even_if_it_was_the_only_one(
    open_lot: OpenLot, api: FakeApi, photo: bytes
) -> None:
    page = open_lot()
    page.button(key="lot_photo_1").click().run()
    assert "You can put it back for 7 days." in page_text(page)
    script(api, photo, NEW, [])
    button(page, "Remove it").click().run()
    page.run()
    assert not page.exception
    assert f"{REMOVE}?restorable=true" in paths(api)
    assert "Photo 1 was removed." in page_text(page)

    script(api, photo)
    button(page, "Undo").click().run()
    assert not page.exception
    assert paths(api).count(RESTORE_PHOTO) == 1
    assert "1 photo put back." in page_text(page)
    assert "Undo" not in labels(page)
    assert page.button(key="lot_photo_1")


def test_deleted_inspection_is_put_back_in_the_list(open_lot: OpenLot, api: FakeApi) -> None:
    page = open_lot()
    api.answers |= {LOT: Answer("", 204), LIST: page_of("inspections", [])}
    button(page, "Delete it").click().run()
    assert f"{LOT}?restorable=true" in paths(api)
    assert page.title[0].value == "Inspections"
    assert "Lot A-17 was deleted." in page_text(page)

    api.answers[LIST] = page_of("inspections", [BEGUN])
    button(page, "Undo").click().run()
    assert not page.exception
    assert paths(api).count(RESTORE) == 1
    assert "1 inspection put back." in page_text(page)
    assert page.button(key=f"open_{ID}")


def test_service_that_keeps_nothing_says_so_first(open_lot: OpenLot, api: FakeApi) -> None:
    api.answers |= {
        REMOVED: removed_of("inspections", [], 0.0),
        REMOVED_PHOTOS: removed_of("photos", [], 0.0),
    }
    page = open_lot()
    page.button(key="lot_photo_1").click().run()
    text = page_text(page)
    assert "Its fruits and their corrections are lost. This cannot be undone." in text
    assert "The inspection and its photos are deleted for good. This cannot be undone." in text
    button(page, "Remove it for good").click().run()
    page.run()
    assert "Photo 1 was removed." in page_text(page)
    assert "Undo" not in labels(page)


@pytest.mark.parametrize("code", ["photo-not-found", "inspection-full"])
def test_undo_that_fails_says_why(open_lot: OpenLot, api: FakeApi, code: str) -> None:
    page = remove_photo(open_lot())
    api.answers[RESTORE_PHOTO] = problem(404 if code == "photo-not-found" else 409, "No.", code)
    button(page, "Undo").click().run()
    gone = code == "photo-not-found"
    said = "1 photo not put back: deleted, or added again." if gone else "No."
    assert said in page_text(page)
    assert ("Undo" in labels(page)) is not gone


def test_removal_that_fails_is_explained(open_lot: OpenLot, api: FakeApi) -> None:
    api.answers[REMOVE] = problem(404, "This inspection has no such photo.")
    page = remove_photo(open_lot())
    assert "This inspection has no such photo" in page_text(page)
    assert "Undo" not in labels(page)


def test_nothing_is_removed_while_it_is_not_known_if_it_is_kept(
    open_lot: OpenLot, api: FakeApi
) -> None:
    api.answers[REMOVED_PHOTOS] = problem(500, "Broken.")
    page = open_lot()
    page.button(key="lot_photo_1").click().run()
    assert not page.exception
    assert "Broken." in page_text(page)
    assert "Remove it" not in labels(page)


def test_photos_removed_lately_are_listed(open_lot: OpenLot, api: FakeApi) -> None:
    other = REMOVED_PHOTO | {"id": OTHER_ID, "number": 2}
    api.answers[REMOVED_PHOTOS] = removed_of("photos", [other, REMOVED_PHOTO])
    page = open_lot()
    assert "Removed in the last 7 days: 2 photos" in [one.label for one in page.expander]
    [choice] = page.multiselect
    assert choice.options[1] == "Photo 1, crate.jpg, 4 fruits, removed 29 Nov 2026, 11:00"
    assert button(page, "Put back").disabled
    choice.set_value([PHOTO_ID]).run()
    api.answers[REMOVED_PHOTOS] = removed_of("photos", [other])
    button(page, "Put back").click().run()
    assert not page.exception
    assert paths(api).count(RESTORE_PHOTO) == 1
    assert "1 photo put back." in page_text(page)
    assert page.multiselect[0].value == []


def test_inspections_removed_lately_are_listed_and_deleted_for_good(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers |= {
        LIST: page_of("inspections", []),
        REMOVED: removed_of("inspections", [REMOVED_LOT]),
    }
    page = open_page("inspections")
    [choice] = page.multiselect
    assert choice.options == ["Lot A-17, Hofgut Lindau, 2 photos, removed 29 Nov 2026, 11:00"]
    choice.set_value([ID]).run()
    api.answers |= {LOT: Answer("", 204), REMOVED: removed_of("inspections", [])}
    button(page, "Delete now").click().run()
    assert not page.exception
    assert LOT in paths(api)
    assert "1 inspection deleted for good." in page_text(page)


def test_names_of_removed_ones_are_shown_as_they_are(
    open_lot: OpenLot, open_page: OpenPage, api: FakeApi
) -> None:
    api.answers |= {
        REMOVED: removed_of("inspections", [REMOVED_LOT | {"lot": EVIL, "supplier": EVIL}]),
        REMOVED_PHOTOS: removed_of("photos", [REMOVED_PHOTO | {"filename": EVIL}]),
    }
    for page in (open_page("inspections"), open_lot()):
        assert not page.exception
        assert not raw_texts(page)
