"""Undoing a removal or relabelling of training photos, at once or days later."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, page_text
from tests.ui.app_pages.test_gallery import gallery, pick
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi, problem
from tests.ui.fake_collect import EMPTY_SUMMARY, IDS, NONE_REMOVED, REMOVED, script

REMOVE, RESTORE, RELABEL = (
    "/dataset/images/remove",
    "/dataset/removed/restore",
    "/dataset/images/relabel",
)


@pytest.fixture
def page(open_page: OpenPage, api: FakeApi, photo: bytes) -> AppTest:
    script(api, photo)
    return gallery(open_page("training_data"))


def sent(api: FakeApi, path: str) -> list[Any]:
    return [json.loads(body) for body in api.sent_to(path)]


def labels(page: AppTest) -> list[str]:
    return [each.label for each in page.button]


def remove(page: AppTest, *ids: str) -> AppTest:
    pick(page, *ids)
    button(page, "Remove").click().run()
    return page


def test_removal_is_undone_even_where_no_photo_is_left(page: AppTest, api: FakeApi) -> None:
    remove(page, *IDS)
    api.answers["/dataset/summary"] = Answer(EMPTY_SUMMARY)
    button(page, "Remove 3 photos").click().run()
    assert "2 photos removed." in page_text(page)
    page.run()

    button(page, "Undo").click().run()

    assert sent(api, RESTORE) == [{"ids": IDS}]
    assert "2 photos put back." in page_text(page)
    assert "Undo" not in labels(page)


def test_photos_that_were_not_restored_are_reported(page: AppTest, api: FakeApi) -> None:
    api.answers[RESTORE] = Answer({"restored": 1, "known": [IDS[0]], "missing": [IDS[1]]})
    remove(page, *IDS)
    button(page, "Remove 3 photos").click().run()
    button(page, "Undo").click().run()
    text = page_text(page)
    assert "1 photo put back." in text
    assert "1 photo not put back: the same was added again meanwhile." in text
    assert "1 photo not put back: deleted, or put back already." in text


def test_undo_that_fails_says_why_and_can_be_tried_again(page: AppTest, api: FakeApi) -> None:
    api.answers[RESTORE] = problem(422, "Not today.")
    remove(page, *IDS)
    button(page, "Remove 3 photos").click().run()
    button(page, "Undo").click().run()
    assert "Not today." in page.error[0].value
    assert "Undo" in labels(page)


def test_removal_for_good_has_no_undo(page: AppTest, api: FakeApi) -> None:
    api.answers[REMOVE] = Answer({"removed": 1, "missing": [], "kept_days": 0.0})
    remove(page, IDS[0])
    page.checkbox(key="for_good").check()
    button(page, "Remove 1 photo").click().run()
    assert sent(api, REMOVE) == [{"ids": IDS[:1], "for_good": True}]
    assert "1 photo removed." in page_text(page)
    assert "Undo" not in labels(page)


def test_service_that_keeps_nothing_says_so_first(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    script(api, photo).answers["/dataset/removed"] = Answer(NONE_REMOVED | {"kept_days": 0.0})
    page = remove(gallery(open_page("training_data")), IDS[0])
    assert "1 photo will be removed, and cannot be brought back" in page_text(page)


def test_relabelling_is_undone_class_by_class(page: AppTest, api: FakeApi) -> None:
    former = {"freshapples": IDS[:1], "rottenapples": IDS[1:2]}
    api.answers[RELABEL] = Answer(
        {"relabelled": 2, "class_name": "kiwi", "missing": [], "former": former}
    )
    pick(page, *IDS[:2])
    page.selectbox(key="new_class").set_value("kiwi").run()
    button(page, "Relabel").click().run()
    api.answers[RELABEL] = Answer(
        {"relabelled": 1, "class_name": "freshapples", "missing": [], "former": {}}
    )

    button(page, "Undo").click().run()

    assert sent(api, RELABEL)[1:] == [
        {"ids": ids, "class_name": name, "new_class": True, "only_from": "kiwi"}
        for name, ids in former.items()
    ]
    assert "2 photos relabelled back." in page_text(page)


def test_recently_removed_photos_are_listed(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    """Also after a reload and for other people."""
    script(api, photo).answers["/dataset/removed"] = Answer(REMOVED)
    api.answers[RESTORE] = Answer({"restored": 1, "known": [], "missing": []})
    page = gallery(open_page("training_data"))
    [expander] = page.expander
    assert expander.label == "Removed in the last 7 days: 2 photos"
    [choice] = page.multiselect
    assert [option.split(", removed")[0] for option in choice.options] == [
        "a.jpg, Kiwi",
        "b.jpg, with boxes",
    ]
    assert button(page, "Put back").disabled

    choice.set_value(["b" * 32]).run()
    button(page, "Put back").click().run()

    assert sent(api, RESTORE) == [{"ids": ["b" * 32]}]
    assert "1 photo put back." in page_text(page)


def test_removed_photos_are_deleted_for_good(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    script(api, photo).answers["/dataset/removed"] = Answer(REMOVED)
    boxed = f"/dataset/boxed-photos/{'b' * 32}"
    api.answers[boxed] = Answer("", 204)
    page = gallery(open_page("training_data"))
    page.multiselect[0].set_value(["a" * 32, "b" * 32]).run()
    api.answers["/dataset/removed"] = Answer(REMOVED | {"total": 0, "photos": []})
    button(page, "Delete now").click().run()
    assert not page.exception
    assert sent(api, REMOVE) == [{"ids": ["a" * 32], "for_good": True}]
    assert len(api.sent_to(boxed)) == 1
    assert "2 photos deleted for good." in page_text(page)


def test_the_others_stay_listed_after_one_is_put_back(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    script(api, photo).answers["/dataset/removed"] = Answer(REMOVED)
    page = gallery(open_page("training_data"))
    page.multiselect[0].set_value(["b" * 32]).run()
    api.answers["/dataset/removed"] = Answer(
        REMOVED | {"total": 1, "photos": REMOVED["photos"][:1]}
    )
    button(page, "Put back").click().run()
    assert not page.exception
    assert page.multiselect[0].value == []
    assert [option.split(",")[0] for option in page.multiselect[0].options] == ["a.jpg"]
