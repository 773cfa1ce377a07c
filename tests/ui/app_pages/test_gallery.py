"""The gallery of the Training data page: browsing, filtering, relabelling, removing."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, page_text
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, Answer, FakeApi, problem
from tests.ui.fake_collect import EMPTY_SUMMARY, IDS, IMAGES, SUMMARY, script


@pytest.fixture
def page(open_page: OpenPage, api: FakeApi, photo: bytes) -> AppTest:
    script(api, photo)
    return gallery(open_page("training_data"))


def gallery(page: AppTest) -> AppTest:
    page.segmented_control(key="training_section").set_value("Gallery").run()
    assert not page.exception
    return page


def pick(page: AppTest, *ids: str) -> AppTest:
    for image_id in ids:
        page.checkbox(key=f"select_{image_id}").check()
    return page.run()


def last_query(api: FakeApi) -> dict[str, list[str]]:
    """The query of the last request for the list."""
    paths = [path for path, _ in api.received if path.startswith("/dataset/images?")]
    return parse_qs(urlsplit(paths[-1]).query)


def test_every_photo_is_shown_with_its_class(page: AppTest) -> None:
    assert len(page.image) == 3
    assert [box.label for box in page.checkbox] == ["Fresh apple", "Fresh apple", "Kiwi"]
    assert page.image[0].proto.imgs[0].alt == "Fresh apple: 1.jpg"
    assert "3 photos" in page_text(page)
    assert button(page, "Remove").disabled


def test_filters_are_sent_to_the_api(page: AppTest, api: FakeApi) -> None:
    assert last_query(api) == {"offset": ["0"], "limit": ["24"]}

    page.selectbox(key="gallery_class").set_value("kiwi")
    page.selectbox(key="gallery_split").set_value("test")
    page.selectbox(key="gallery_origin").set_value("feedback").run()

    expected = {"class_name": ["kiwi"], "split": ["test"], "origin": ["feedback"]}
    assert last_query(api) == expected | {"offset": ["0"], "limit": ["24"]}


def test_page_has_24_photos(page: AppTest, api: FakeApi) -> None:
    api.answers["/dataset/images"] = Answer(IMAGES | {"total": 49})
    page.selectbox(key="gallery_split").set_value("train").run()

    page.pagination[0].set_value(3).run()

    assert last_query(api)["offset"] == ["48"]


def test_emptied_last_page_shows_the_previous_one(page: AppTest, api: FakeApi) -> None:
    api.answers["/dataset/images"] = Answer(IMAGES | {"total": 49})
    page.selectbox(key="gallery_split").set_value("train").run()
    page.pagination[0].set_value(3).run()
    pick(page, *IDS)
    button(page, "Remove").click().run()

    api.answers["/dataset/images"] = Answer(IMAGES | {"total": 46})
    button(page, "Remove 3 photos").click().run()

    assert last_query(api)["offset"] == ["24"]
    assert page.pagination[0].value == 2


def test_selected_photos_are_relabelled_together(page: AppTest, api: FakeApi) -> None:
    pick(page, *IDS[:2])
    page.selectbox(key="new_class").set_value("kiwi").run()
    [relabel] = [element for element in page.button if element.label == "Relabel"]
    relabel.click().run()

    [body] = api.sent_to("/dataset/images/relabel")
    assert json.loads(body) == {"ids": IDS[:2], "class_name": "kiwi"}
    assert "2 photos relabelled: Kiwi." in page_text(page)
    assert not any(box.value for box in page.checkbox)


def test_removal_needs_confirmation(page: AppTest, api: FakeApi) -> None:
    pick(page, *IDS[1:])
    button(page, "Remove").click().run()
    assert "2 photos will be removed, and can be put back for 7 days" in page_text(page)
    assert not api.sent_to("/dataset/images/remove")

    button(page, "Remove 2 photos").click().run()

    assert [json.loads(body) for body in api.sent_to("/dataset/images/remove")] == [
        {"ids": IDS[1:]}
    ]
    assert "2 photos removed." in page_text(page)


def test_all_shown_photos_can_be_selected_at_once(page: AppTest) -> None:
    button(page, "Choose all shown").click().run()
    assert all(box.value for box in page.checkbox)
    assert "3 chosen" in page_text(page)

    button(page, "Choose none").click().run()
    assert not any(box.value for box in page.checkbox)


def test_rejected_change_is_explained_and_the_selection_stays(page: AppTest, api: FakeApi) -> None:
    api.answers["/dataset/images/relabel"] = problem(422, "A class name needs a letter.")
    pick(page, IDS[0])
    page.selectbox(key="new_class").set_value("!").run()
    [relabel] = [element for element in page.button if element.label == "Relabel"]
    relabel.click().run()

    assert "A class name needs a letter." in page.error[0].value
    assert page.checkbox(key=f"select_{IDS[0]}").value


def test_failed_thumbnail_does_not_affect_the_others(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    script(api, photo).answers[f"/dataset/images/{IDS[0]}/photograph"] = OUTAGE

    page = gallery(open_page("training_data"))

    assert len(page.image) == 2
    assert "1.jpg cannot be shown" in page_text(page)


def test_empty_gallery_says_that_there_are_no_photos(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    script(api, photo).answers["/dataset/summary"] = Answer(EMPTY_SUMMARY)

    page = gallery(open_page("training_data"))

    assert "No photos of your own yet" in page_text(page)


def test_filter_without_matches_says_so(page: AppTest, api: FakeApi) -> None:
    api.answers["/dataset/images"] = Answer(IMAGES | {"total": 0, "images": []})

    page.selectbox(key="gallery_split").set_value("validation").run()

    assert "Choose another one" in page.info[0].value


def test_failed_list_is_explained_and_can_be_retried(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    script(api, photo).first["/dataset/images"].append(problem(503, "The database is away."))
    page = gallery(open_page("training_data"))
    assert "The database is away." in page.error[0].value

    button(page, "Try again").click().run()

    assert len(page.image) == len(SUMMARY["by_split"]) + 1
