"""The Model report's pictures of a version's wrong grades and missed fruits."""

from io import BytesIO
from typing import Any

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.test_hostile_text import raw_texts
from tests.ui.app_pages.test_report_finding import METRICS, a_detector, open_part
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, Answer, FakeApi
from tests.ui.fake_insights import CHAMPION
from tests.ui.fake_report import MISTAKES, script
from tests.ui.hostile_text import EVIL

PATH = f"/report/{CHAMPION}/mistakes"
IMAGE_ID, BOXED_ID = "1" * 32, "2" * 32
BOX = {"x_min": 0, "y_min": 0, "x_max": 100, "y_max": 80}
IMAGE: dict[str, Any] = {
    "image_id": IMAGE_ID,
    "boxed_photo_id": None,
    "filename": "apple.jpg",
    "width": 200,
    "height": 200,
}
BOXED = IMAGE | {"image_id": None, "boxed_photo_id": BOXED_ID, "filename": "crate.jpg"}
MISTAKE: dict[str, Any] = {
    "class_name": "freshapples",
    "predicted_class": "rottenapples",
    "confidence": 0.9731,
    "photograph": "p",
    "source": "catalog",
    "photo": IMAGE,
    "box": None,
}
MISS: dict[str, Any] = {
    **METRICS["worst_misses"][0],
    "photo": BOXED,
    "missed_boxes": [BOX],
    "surplus_boxes": [],
}


def a_picture() -> bytes:
    file = BytesIO()
    Image.new("RGB", (192, 192), "white").save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> None:
    script(api)
    for path in (f"/dataset/images/{IMAGE_ID}", f"/dataset/boxed-photos/{BOXED_ID}"):
        picture = Answer(a_picture(), content_type="image/jpeg")
        api.answers[f"{path}/photograph"] = picture


def mistakes(open_page: OpenPage, api: FakeApi, **changes: Any) -> AppTest:
    api.answers[PATH] = Answer(MISTAKES | changes)
    page = open_page("model_report")
    control: Any = page.segmented_control(key="report_part")
    changed: AppTest = control.set_value("Mistakes").run()
    assert not changed.exception
    return changed


def texts(page: AppTest) -> str:
    kinds = (page.markdown, page.caption, page.info)
    return " ".join(element.value for kind in kinds for element in kind)


def alts(page: AppTest) -> list[str]:
    return [image.proto.imgs[0].alt for image in page.image]


def test_wrong_photos_are_shown_with_both_classes_and_confidence(
    open_page: OpenPage, api: FakeApi
) -> None:
    boxed = MISTAKE | {"photo": BOXED, "box": BOX, "confidence": 0.5}
    rows = [MISTAKE, boxed, MISTAKE | {"photo": None}]
    page = mistakes(open_page, api, mistakes=rows, wrong_with_photo=2)
    wrong = "Fresh apple, graded as rotten apple"
    assert alts(page) == [f"apple.jpg: {wrong}: 97.3 %", f"crate.jpg: {wrong}: 50.0 %"]
    assert f"{wrong}: 97.3 %" in [caption.value for caption in page.caption]
    assert "3 of 50 held-out photos" in texts(page)
    assert "The photos of 1 came with the model" in texts(page)


def test_without_their_photos_the_page_says_why(open_page: OpenPage, api: FakeApi) -> None:
    page = mistakes(open_page, api, mistakes=[MISTAKE | {"photo": None}])
    assert not page.image
    assert "None of them is here" in texts(page)
    assert "came with the model" in texts(page)
    # The table from the package is still there.
    assert page.dataframe[0].value["File"].tolist() == ["rottenapples/9.jpg"]


def test_without_mistakes_the_page_says_so(open_page: OpenPage, api: FakeApi) -> None:
    page = mistakes(open_page, api, wrong=0)
    assert "It grades all 50 photos right" in page.info[0].value


def test_missed_fruits_are_drawn_on_their_photos(open_page: OpenPage, api: FakeApi) -> None:
    surplus = MISS | {"missed": 0, "surplus": 1, "missed_boxes": [], "surplus_boxes": [BOX]}
    rows = [MISS, surplus, MISS | {"photo": None, "missed_boxes": []}]
    api.answers[PATH] = Answer(MISTAKES | {"misses": rows})
    page = open_part(open_page, api, a_detector(metrics=METRICS))
    assert alts(page) == [
        "crate.jpg: 4 of 9 missed",
        "crate.jpg: 1 box around no fruit",
    ]
    assert "Of the others, file names only" in texts(page)


def test_names_from_outside_are_plain_text(open_page: OpenPage, api: FakeApi) -> None:
    strange = MISTAKE | {"class_name": EVIL, "photo": IMAGE | {"filename": EVIL}}
    page = mistakes(open_page, api, mistakes=[strange], wrong_with_photo=1)
    assert raw_texts(page) == []


def test_outage_can_be_retried(open_page: OpenPage, api: FakeApi) -> None:
    page = mistakes(open_page, api)
    api.answers[PATH] = OUTAGE
    st.cache_data.clear()
    page.run()
    assert not page.exception
    assert "Try again" in [button.label for button in page.button]


def test_photos_can_be_downloaded(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[f"{PATH}/export"] = Answer(b"a zip", content_type="application/zip")
    page = mistakes(open_page, api, mistakes=[MISTAKE], wrong_with_photo=1)
    buttons: list[Any] = list(page.get("download_button"))
    assert "Download these photos" in [button.label for button in buttons]
    # Only on demand, since there may be many photos.
    assert not api.sent_to(f"{PATH}/export")
