"""The sample photos on the Predict page, and the fruits that it names."""

from urllib.parse import parse_qs, urlsplit

from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import page_text
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import MODEL_INFO, PREDICTION, Answer, FakeApi
from tests.ui.fake_tray import script
from tests.ui.hostile_text import EVIL


def sample(page: AppTest, name: str) -> AppTest:
    page.button(key=f"sample_{name}").click().run()
    assert not page.exception
    return page


def asked(api: FakeApi) -> list[dict[str, list[str]]]:
    """The query of each request to /predict."""
    urls = [urlsplit(path) for path, _ in api.received]
    return [parse_qs(url.query) for url in urls if url.path == "/predict"]


def test_first_visit_names_the_fruits_and_offers_samples(open_page: OpenPage) -> None:
    page = open_page("predict")
    assert "The model knows apples and bananas." in page_text(page)
    labels = [one.label for one in page.button if (one.key or "").startswith("sample_")]
    assert labels == ["A banana", "An orange", "A tray"]


def test_class_names_are_text(open_page: OpenPage, api: FakeApi) -> None:
    known = MODEL_INFO["model_info"] | {"classes": [EVIL, "kiwi"]}
    api.answers["/model-info"] = Answer(MODEL_INFO | {"model_info": known})
    text = page_text(open_page("predict"))
    assert "kiwis" in text
    assert "**evil**" not in text


def test_sample_is_graded_but_neither_recorded_nor_learned(
    open_page: OpenPage, api: FakeApi
) -> None:
    page = sample(open_page("predict"), "banana")
    assert page.header[0].value == "Fresh apple"
    assert asked(api) == [{"record": ["false"]}]
    assert "Is this right?" not in page_text(page)
    # Its heat map is requested without an id, since a sample has no record.
    page.toggle(key="heat_map").set_value(True).run()
    assert asked(api)[1:] == [{"explain": ["true"], "record": ["false"]}]
    # The other samples are still offered.
    sample(page, "orange")
    assert b'filename="sample-orange.jpg"' in api.sent_to("/predict")[-1]


def test_sample_tray_takes_no_corrections(open_page: OpenPage, api: FakeApi) -> None:
    answer = script(api).answers["/predict?instances=true"]
    api.answers["/predict?record=false&instances=true"] = answer
    page = sample(open_page("predict"), "tray")
    assert page.header[0].value.startswith("4 fruits")
    page.button(key="fruit-1").click().run()
    assert not page.exception
    labels = [one.label for one in page.button]
    assert not {"This is no fruit", "Add a fruit that was missed", "Save corrections"} & {*labels}


def test_own_photo_after_a_sample_is_recorded(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    page = sample(open_page("predict"), "banana")
    page.file_uploader(key="upload").set_value(("apple.jpg", photo, "image/jpeg")).run()
    assert asked(api) == [{"record": ["false"]}, {}]
    assert PREDICTION["interpretation"] in page_text(page)
    assert "Is this right?" in page_text(page)
