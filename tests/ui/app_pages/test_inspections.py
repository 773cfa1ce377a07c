"""The Inspections page with an open lot: adding photos, correcting, deleting."""

import json
from collections.abc import Callable

import lots
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, page_text, wait_for_upload
from tests.ui.app_pages.test_hostile_text import raw_texts
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, Answer, FakeApi, problem
from tests.ui.fake_lots import (
    BEGUN,
    FRUITS,
    ID,
    LIST,
    LOT,
    NEW,
    OTHER_ID,
    PHOTO,
    PHOTO_ID,
    PHOTOS,
    fruit,
    page_of,
    script,
)
from tests.ui.hostile_text import EVIL

OpenLot = Callable[[], AppTest]


@pytest.fixture(autouse=True)
def scripted(api: FakeApi, photo: bytes) -> None:
    script(api, photo)


@pytest.fixture
def open_lot(open_page: OpenPage) -> OpenLot:
    """The inspection's page, opened by URL."""

    def navigate() -> AppTest:
        page = open_page("predict")
        page.query_params["inspection"] = ID
        page.switch_page("app_pages/inspections.py").run()
        assert not page.exception
        return page

    return navigate


def test_open_lot_has_verdict_shares_and_fruits(open_lot: OpenLot) -> None:
    page = open_lot()
    text = page_text(page)
    assert "**Not sure yet**  \nPhotograph about 12 more fruits to be sure." in text
    assert "That makes about 3 more photos like these." in text
    metrics = [(one.label, one.value, one.delta) for one in page.metric]
    assert metrics[0] == ("Rotten", "1", "33.3 %")
    assert metrics[-1][:2] == ("Not known", "1")
    assert "In the lot: 1.0 % to 90.0 %" in text
    assert "Tolerated: 5 %" in text
    assert "At most 5 % rotten and 10 % past their best; 95 % sure." in text
    labels = [page.button(key=f"lot-fruit-1-{number}").label for number in range(1, 5)]
    assert labels == ["✕ Rotten apple", "! Apple, past its best", "? Not known", "✓ Fresh apple"]
    assert "91.0 % sure · photo 1" in text
    assert "1 rotten, 1 past its best, 1 fresh, 1 not known" in text


@pytest.mark.parametrize(
    ("decision", "shown"), [("accept", "success"), ("reject", "error"), ("more", "info")]
)
def test_verdict_is_seen_at_once(
    open_lot: OpenLot, api: FakeApi, decision: str, shown: str
) -> None:
    verdict = BEGUN["verdict"] | {"decision": decision, "more": None, "message": "So it is."}
    api.answers[LOT] = Answer(BEGUN | {"verdict": verdict})
    [box] = getattr(open_lot(), shown)
    assert "So it is." in box.value


def test_photos_are_added_one_by_one(open_lot: OpenLot, api: FakeApi, photo: bytes) -> None:
    api.answers[LOT] = Answer(NEW)
    page = open_lot()
    [uploader] = page.file_uploader
    files = [(f"{name}.jpg", photo, "image/jpeg") for name in ("one", "two", "bad")]
    uploader.set_value(files).run()
    added = {"added": [PHOTO], "known": [], "errors": [], "inspection": BEGUN}
    known = added | {"added": [], "known": [PHOTO]}
    error = {"title": "t", "status": 400, "detail": "This is no photo.", "code": "c", "type": "u"}
    failed = added | {"added": [], "errors": [{"filename": "bad.jpg", "error": error}]}
    api.first[PHOTOS].extend(Answer(body) for body in (added, known, failed))
    api.answers[LOT] = Answer(BEGUN)
    button(page, "Add 3 files").click().run()
    page = wait_for_upload(page, "inspection_upload")
    text = page_text(page)
    assert "1 photo added, 1 was here already, and count once" in text
    assert "1 file could not be added:\n- bad.jpg: This is no photo." in text
    assert sum(b"filename=" in body for body in api.sent_to(PHOTOS)) == 3
    assert "Photograph about 12 more fruits" in text


def test_model_that_finds_no_fruit_cannot_inspect(open_lot: OpenLot, api: FakeApi) -> None:
    info = json.loads(api.answers["/model-info"].body)  # type: ignore[union-attr]
    info["model_info"]["finds_fruits"] = False
    api.answers["/model-info"] = Answer(info)
    page = open_lot()
    assert "cannot find the fruits of a photo" in page_text(page)
    assert not page.file_uploader


@pytest.mark.parametrize(
    ("said", "label"),
    list(lots.SAYINGS.items()),
)
def test_fruit_is_corrected_in_place(
    open_lot: OpenLot, api: FakeApi, label: str, said: str
) -> None:
    page = open_lot()
    page.button(key="lot-fruit-1-2").click().run()
    assert not page.exception
    assert "photo 1, fruit 2" in page_text(page)
    button(page, label).click().run()
    assert not page.exception
    assert json.loads(api.sent_to(f"{PHOTOS}/{PHOTO_ID}/fruits/2")[-1]) == {"said": said}
    # Requested again, since the counts have changed.
    assert len(api.sent_to(LOT)) >= 2
    assert label not in [one.label for one in page.button]


def test_correction_is_undone(open_lot: OpenLot, api: FakeApi) -> None:
    fruits = [fruit(1, "fresh", said="fresh", freshness_level="rotten"), *FRUITS[1:]]
    api.answers[PHOTOS] = page_of("photos", [PHOTO | {"fruits": fruits}])
    api.answers[f"{LOT}/fruits"] = page_of("fruits", fruits)
    page = open_lot()
    assert "Corrected by you · photo 1" in page_text(page)
    page.button(key="lot-fruit-1-1").click().run()
    button(page, "Undo: use the grade again").click().run()
    assert api.received[-1]
    assert (f"{PHOTOS}/{PHOTO_ID}/fruits/1", b"") in api.received


def test_rejected_correction_is_explained(open_lot: OpenLot, api: FakeApi) -> None:
    api.answers[f"{PHOTOS}/{PHOTO_ID}/fruits/1"] = problem(404, "This photo has no such fruit.")
    page = open_lot()
    page.button(key="lot-fruit-1-1").click().run()
    button(page, "Fresh").click().run()
    assert "This photo has no such fruit" in page_text(page)


def test_same_fruits_are_asked_about(open_lot: OpenLot, api: FakeApi) -> None:
    again = PHOTO | {"id": OTHER_ID, "number": 2, "same_as": PHOTO_ID}
    api.answers[PHOTOS] = page_of("photos", [again, PHOTO])
    api.answers[LOT] = Answer(BEGUN | {"photos": 2, "same_asked": 1})
    api.answers[f"{PHOTOS}/{OTHER_ID}"] = Answer(again | {"counted": False, "answered": True})
    page = open_lot()
    assert "Photo 2 looks like photo 1. Are these the same fruits?" in page_text(page)
    button(page, "Yes, count them once").click().run()
    assert not page.exception
    assert json.loads(api.sent_to(f"{PHOTOS}/{OTHER_ID}")[-1]) == {"counted": False}


def test_photo_opens_with_its_fruits_and_is_removed(open_lot: OpenLot, api: FakeApi) -> None:
    api.answers[f"{PHOTOS}/{PHOTO_ID}"] = Answer("", 204)
    page = open_lot()
    page.button(key="lot_photo_1").click().run()
    assert not page.exception
    assert page.button(key="in_photo_1").label == "1 ✕ Rotten apple"
    button(page, "Remove it").click().run()
    assert not page.exception
    assert (f"{PHOTOS}/{PHOTO_ID}?restorable=true", b"") in api.received


def test_fruit_of_an_opened_photo_opens(open_lot: OpenLot) -> None:
    page = open_lot()
    page.button(key="lot_photo_1").click().run()
    page.button(key="in_photo_4").click().run()
    assert not page.exception
    assert "photo 1, fruit 4" in page_text(page)


def test_missed_fruit_is_added_by_its_edges(open_lot: OpenLot, api: FakeApi) -> None:
    api.answers[f"{PHOTOS}/{PHOTO_ID}/fruits"] = Answer(PHOTO, 201)
    page = open_lot()
    page.button(key="lot_photo_1").click().run()
    page.toggle(key="lot_missed_1").set_value(True).run()
    page.segmented_control(key="how_to_draw").set_value("Set its edges").run()
    page.segmented_control[-1].set_value("rotten").run()
    button(page, "Add this fruit").click().run()
    assert not page.exception
    sent = json.loads(api.sent_to(f"{PHOTOS}/{PHOTO_ID}/fruits")[-1])
    assert sent["level"] == "rotten"
    assert sent["box"] == {"x_min": 42, "y_min": 32, "x_max": 78, "y_max": 58}


def test_photo_that_is_no_longer_kept_has_no_picture(open_lot: OpenLot, api: FakeApi) -> None:
    api.answers[PHOTOS] = page_of("photos", [PHOTO | {"photograph_kept": False}])
    page = open_lot()
    page.button(key="lot_photo_1").click().run()
    assert not page.exception
    assert "no longer kept" in page_text(page)


def test_report_is_offered_as_two_files(open_lot: OpenLot, api: FakeApi) -> None:
    page = open_lot()
    labels = [getattr(one, "proto").label for one in page.get("download_button")]  # noqa: B009
    assert labels == ["PDF with photos", "Excel (XLSX)"]
    # A report is made only on request.
    assert not [path for path, _ in api.received if "report." in path]


def test_photos_without_a_fruit_say_what_to_do(
    open_lot: OpenLot, api: FakeApi, photo: bytes
) -> None:
    script(api, photo, BEGUN, [PHOTO | {"fruits": []}])
    api.answers[f"{LOT}/fruits"] = page_of("fruits", [])
    text = page_text(open_lot())
    assert "No fruit was found in these photos" in text
    assert "No fruit found" in text


def test_inspection_is_deleted_after_a_question(open_lot: OpenLot, api: FakeApi) -> None:
    page = open_lot()
    api.answers[LOT] = Answer("", 204)
    api.answers[LIST] = page_of("inspections", [])
    button(page, "Delete it").click().run()
    assert not page.exception
    assert page.title[0].value == "Inspections"
    assert "inspection" not in page.query_params


def test_deleted_inspection_leads_back(open_lot: OpenLot, api: FakeApi) -> None:
    api.answers[LOT] = problem(404, "There is none.", "inspection-not-found")
    page = open_lot()
    assert "This inspection was deleted" in page_text(page)
    button(page, "All inspections").click().run()
    assert "opened 29 Nov 2026" in page_text(page)


def test_outage_is_reported(open_lot: OpenLot, api: FakeApi) -> None:
    api.answers["/health"] = OUTAGE
    assert "This page continues by itself" in page_text(open_lot())


def test_text_from_outside_is_plain_text(
    open_lot: OpenLot, open_page: OpenPage, api: FakeApi
) -> None:
    evil = BEGUN | {"lot": EVIL, "supplier": EVIL, "kind": EVIL}
    photo = PHOTO | {"filename": EVIL}
    api.answers |= {
        LIST: page_of("inspections", [evil]),
        LOT: Answer(evil),
        PHOTOS: page_of("photos", [photo]),
    }
    for page in (open_page("inspections"), open_lot()):
        assert not raw_texts(page)


def test_page_of_photos_that_were_all_removed_gives_way_to_the_last(
    open_lot: OpenLot, api: FakeApi
) -> None:
    gone = {"total": 1, "offset": 12, "limit": 12, "photos": []}
    api.answers[f"{PHOTOS}?offset=12&limit=12"] = Answer(gone)
    page = open_lot()
    page.session_state[f"lot_photos_page_{ID}"] = 2
    page.run()
    assert not page.exception
    assert page.button(key="lot_photo_1")
