"""The photos with boxes on the Training data page: listed, corrected, removed."""

import json
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, page_text
from tests.ui.app_pages.test_hostile_text import raw_texts
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, Answer, FakeApi, problem
from tests.ui.fake_collect import script
from tests.ui.hostile_text import EVIL

LIST = "/dataset/boxed-photos"
PHOTO_ID = "a" * 32
BOX = {"x_min": 10.25, "y_min": 20.0, "x_max": 110.5, "y_max": 120.0}
PHOTO: dict[str, Any] = {
    "id": PHOTO_ID,
    "photograph": "boxed/crate",
    "split": "train",
    "origin": "feedback",
    "filename": "crate.jpg",
    "width": 400,
    "height": 200,
    "bytes": 9000,
    "sha256": "ab",
    "complete": False,
    "prediction_id": None,
    "created_at": "2026-11-21T10:00:00Z",
    "boxes": [
        {"box": BOX, "class_name": "rottenapples"},
        {"box": BOX | {"x_min": 150.0, "x_max": 250.0}, "class_name": None},
    ],
}
PAGE = {"total": 1, "offset": 0, "limit": 24, "boxed_photos": [PHOTO]}


def jpeg() -> bytes:
    file = BytesIO()
    Image.new("RGB", (400, 200), "white").save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(autouse=True)
def scripted(api: FakeApi, photo: bytes) -> None:
    script(api, photo)
    script_boxed(api)


def script_boxed(api: FakeApi) -> None:
    api.answers[LIST] = Answer(PAGE)
    api.answers[f"{LIST}/{PHOTO_ID}/photograph"] = Answer(jpeg(), content_type="image/jpeg")
    api.answers[f"{LIST}/{PHOTO_ID}/boxes"] = Answer(PHOTO)


def listed(open_page: OpenPage) -> AppTest:
    page = open_page("training_data")
    page.segmented_control(key="training_section").set_value("With boxes").run()
    assert not page.exception
    return page


def opened(open_page: OpenPage) -> AppTest:
    page = listed(open_page)
    page.button(key=f"change_{PHOTO_ID}").click().run()
    assert not page.exception
    return page


def sent(api: FakeApi) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(api.sent_to(f"{LIST}/{PHOTO_ID}/boxes")[-1])
    return body


def test_photos_are_shown_with_their_boxes(open_page: OpenPage, api: FakeApi) -> None:
    page = listed(open_page)
    assert "1 photo with boxes" in page_text(page)
    assert "1 rotten apple, 1 without a class" in page_text(page)
    assert "To learn from · perhaps not all boxed" in page_text(page)
    assert page.image[0].proto.imgs[0].alt == "crate.jpg: 1 rotten apple, 1 without a class"


def test_pages_of_24(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[LIST] = Answer(PAGE | {"total": 49})
    page = listed(open_page)
    page.session_state["boxed_page"] = 3
    page.run()
    paths = [path for path, _ in api.received if path.startswith(f"{LIST}?")]
    assert parse_qs(urlsplit(paths[-1]).query) == {"offset": ["48"], "limit": ["24"]}


def test_page_beyond_the_last_shows_the_last_one(open_page: OpenPage, api: FakeApi) -> None:
    page = listed(open_page)
    page.session_state["boxed_page"] = 2
    page.run()
    assert not page.exception
    assert page.session_state["boxed_page"] == 1
    offsets = [path for path, _ in api.received if path.startswith(f"{LIST}?")]
    assert ["offset=24" in path for path in offsets] == [False, True]


def test_without_photos_the_page_says_what_to_do(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[LIST] = Answer(PAGE | {"total": 0, "boxed_photos": []})
    text = page_text(listed(open_page))
    assert "No photos with boxes yet" in text
    assert "On the Predict page" in text


def test_class_is_corrected_and_other_boxes_stay_as_they_were(
    open_page: OpenPage, api: FakeApi
) -> None:
    page = opened(open_page)
    page.selectbox(key=f"boxed_class_{PHOTO_ID}_2").set_value("freshapples").run()
    page.checkbox(key="boxed_complete").check().run()
    button(page, "Save").click().run()
    assert not page.exception
    body = sent(api)
    assert [each["class_name"] for each in body["boxes"]] == ["rottenapples", "freshapples"]
    # Compared exactly, since a box that moves by even a fraction of a pixel counts as another
    # fruit.
    assert body["boxes"][0]["box"] == BOX
    assert body["complete"] is True
    assert page.success[0].value.startswith("Saved: crate.jpg")


def test_box_without_fruit_is_removed(open_page: OpenPage, api: FakeApi) -> None:
    page = opened(open_page)
    page.button(key="boxed_remove_1").click().run()
    button(page, "Save").click().run()
    assert [each["class_name"] for each in sent(api)["boxes"]] == [None]


def test_nothing_marked_cannot_be_saved(open_page: OpenPage) -> None:
    page = opened(open_page)
    for number in (1, 2):
        page.button(key=f"boxed_remove_{number}").click().run()
    assert button(page, "Save").disabled
    page.checkbox(key="boxed_complete").check().run()
    assert not button(page, "Save").disabled


def test_missed_fruit_is_added(open_page: OpenPage, api: FakeApi) -> None:
    page = opened(open_page)
    page.toggle(key="boxed_add").set_value(True).run()
    control: Any = page.segmented_control(key="how_to_draw")
    control.set_value("Set its edges").run()
    page.selectbox(key="boxed_class").set_value("freshapples").run()
    button(page, "Add this fruit").click().run()
    assert not page.exception
    button(page, "Save").click().run()
    added = sent(api)["boxes"][-1]
    assert added["class_name"] == "freshapples"
    assert added["box"] == {"x_min": 140, "y_min": 70, "x_max": 260, "y_max": 130}


def test_photo_is_removed(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[f"{LIST}/{PHOTO_ID}"] = Answer("", 204)
    page = opened(open_page)
    button(page, "Remove the photo").click().run()
    assert len(api.sent_to(f"{LIST}/{PHOTO_ID}?restorable=true")) == 1
    assert "crate.jpg was removed." in page_text(page)

    button(page, "Undo").click().run()
    assert json.loads(api.sent_to("/dataset/removed/restore")[-1]) == {"ids": [PHOTO_ID]}


def test_refused_change_stays_open_with_the_reason(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[f"{LIST}/{PHOTO_ID}/boxes"] = problem(409, "This looks like a known class.")
    page = opened(open_page)
    button(page, "Save").click().run()
    assert "This looks like a known class." in " ".join(error.value for error in page.error)
    assert not page.success


def test_outage_is_reported(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[LIST] = OUTAGE
    page = listed(open_page)
    assert "Try again" in [each.label for each in page.button]


def test_names_from_outside_are_plain_text(open_page: OpenPage, api: FakeApi) -> None:
    hostile = [{"box": BOX, "class_name": "![x](http://foreign.example/x.png)"}]
    photo = PHOTO | {"filename": EVIL, "boxes": hostile}
    api.answers[LIST] = Answer(PAGE | {"boxed_photos": [photo]})
    api.answers[f"{LIST}/{PHOTO_ID}/boxes"] = Answer(photo)
    page = opened(open_page)
    assert raw_texts(page) == []
    button(page, "Save").click().run()
    assert page.success
    assert raw_texts(page) == []
