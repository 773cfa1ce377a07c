"""A double click, or a key that is held down, does no more than one click does."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui import fake_collect, fake_history, fake_learning, fake_lots, fake_report, fake_tray
from tests.ui.app_pages import test_boxed_photos as boxed
from tests.ui.app_pages.pages import button, double_click, page_text, wait_for_upload
from tests.ui.app_pages.test_gallery import gallery, pick
from tests.ui.app_pages.test_history import opened
from tests.ui.app_pages.test_predict_tray import upload
from tests.ui.app_pages.test_review import queue
from tests.ui.app_pages.test_try_both import COMPARE, graded_by_both
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi, problem
from tests.ui.fake_collect import IDS
from tests.waiting import PATIENCE_SECONDS


def choose(page: AppTest, photo: bytes) -> AppTest:
    page.file_uploader[0].set_value([(name, photo, "image/jpeg") for name in ("a.jpg", "b.jpg")])
    page.run()
    assert not page.exception
    return page


def test_files_are_graded_and_their_grades_are_shown(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    fake_collect.script(api, photo)
    page = open_page("predict")
    choose(page.segmented_control(key="photo_source").set_value("Many photos").run(), photo)

    double_click(page, button(page, "Grade 2 files"))

    wait_for_upload(page, "batch")
    assert page.dataframe[0].value["File"].tolist() == ["a.jpg", "b.jpg"]


def test_training_photos_are_added_and_reported(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    fake_collect.script(api, photo)
    page = open_page("training_data")
    choose(page.selectbox(key="upload_class").set_value("freshapples").run(), photo)

    double_click(page, button(page, "Add 2 files"))

    wait_for_upload(page, "training_upload")
    assert page.dataframe[0].value["File"].tolist() == ["a.jpg", "b.jpg"]


def test_photos_are_added_to_a_lot_and_reported(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    fake_lots.script(api, photo)
    page = open_page("predict")
    page.query_params["inspection"] = fake_lots.ID
    choose(page.switch_page("app_pages/inspections.py").run(), photo)

    double_click(page, button(page, "Add 2 files"))

    wait_for_upload(page, "inspection_upload")
    assert "added" in page_text(page)


def test_two_versions_are_tried_and_their_grades_are_shown(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    fake_report.script(api)
    compared = api.answers[COMPARE]
    assert isinstance(compared, Answer)
    api.answers[COMPARE] = lambda body: graded_by_both(body) if body else compared
    page = open_page("model_report")
    choose(page.segmented_control(key="report_part").set_value("Compare").run(), photo)

    double_click(page, button(page, "Grade 2 files by both"))

    upload_of_both = page.session_state["trial"].upload
    assert upload_of_both.wait(PATIENCE_SECONDS)
    assert [row.name for row in upload_of_both.rows] == ["a.jpg", "b.jpg"]


def test_run_that_was_started_is_no_error(open_page: OpenPage, api: FakeApi) -> None:
    fake_learning.script(api)
    page = open_page("retrain")
    api.first["/retrain"].append(Answer(fake_learning.STARTED, 202))
    api.answers["/retrain"] = problem(409, "Run x is queued or running.", "run-active")

    double_click(page, button(page, "Retrain"))

    assert not page.error


def test_rollback_goes_back_once(open_page: OpenPage, api: FakeApi) -> None:
    fake_learning.script(api)
    back = fake_learning.MODELS["rollback_to"]
    changed = {"version": back, "replaced": None, "kind": "rollback", "at": "2026-11-21T10:00:00Z"}
    api.answers["/models/rollback"] = Answer(changed)
    page = open_page("retrain")
    page.session_state["retrain_tab"] = "Versions"
    button(page.run(), "Roll back").click().run()

    double_click(page, page.button(key="confirm-rollback"))

    # The API answers the second without a change.
    sent = [path for path, _ in api.received if path.startswith("/models/rollback")]
    assert sent == [f"/models/rollback?to={back}"] * 2


def test_dismissal_is_undone_once(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    page = queue(open_page, fake_collect.script(api, photo))
    api.answers["/predictions/shoe/dismissal"] = Answer("", 204)
    page.button(key="dismiss_shoe").click().run()

    double_click(page, button(page, "Undo the last"))

    assert "dismissed" not in page_text(page)


@pytest.fixture
def photos(open_page: OpenPage, api: FakeApi, photo: bytes) -> AppTest:
    fake_collect.script(api, photo)
    return pick(gallery(open_page("training_data")), *IDS)


def test_photos_are_removed_once(photos: AppTest, api: FakeApi) -> None:
    button(photos, "Remove").click().run()

    double_click(photos, button(photos, "Remove 3 photos"))

    assert len(api.sent_to("/dataset/images/remove")) == 1


def test_photos_are_relabelled_once(photos: AppTest, api: FakeApi) -> None:
    """The second time none would have a former class, and so no way back."""
    photos.selectbox(key="new_class").set_value("kiwi").run()

    double_click(photos, button(photos, "Relabel"))

    assert len(api.sent_to("/dataset/images/relabel")) == 1


def test_removal_is_undone_once(photos: AppTest, api: FakeApi) -> None:
    button(photos, "Remove").click().run()
    button(photos, "Remove 3 photos").click().run()

    double_click(photos, button(photos, "Undo"))

    assert [json.loads(body) for body in api.sent_to("/dataset/removed/restore")] == [{"ids": IDS}]
    assert "2 photos put back." in page_text(photos)


def test_missed_fruit_is_added_once(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    fake_tray.script(api)
    tray = upload(open_page("predict"), photo)
    button(tray, "Add a fruit that was missed").click().run()
    tray.button_group(key="how_to_draw").set_value("Set its edges").run()

    double_click(tray, button(tray, "Add this fruit"))

    assert "Your corrections: 1 added" in page_text(tray)


def test_said_once_is_undone_once(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    fake_tray.script(api)
    tray = upload(open_page("predict"), photo)
    tray.button(key="fruit-4").click().run()

    double_click(tray, button(tray, "This is no fruit"))

    button(tray, "Undo").click().run()
    assert "Is something wrong?" in page_text(tray)


def test_box_is_added_once(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    fake_collect.script(api, photo)
    boxed.script_boxed(api)
    page = boxed.opened(open_page)
    page.toggle(key="boxed_add").set_value(True).run()
    page.segmented_control(key="how_to_draw").set_value("Set its edges").run()

    double_click(page, button(page, "Add this fruit"))

    button(page, "Save").click().run()
    assert len(boxed.sent(api)["boxes"]) == len(boxed.PHOTO["boxes"]) + 1


def test_next_photo_may_be_on_the_next_page(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    """The arrow keys call it as often as they are pressed."""
    fake_history.script(api, photo)
    page = opened(open_page, fake_history.CAT)

    double_click(page, button(page, "Next"))
    assert page.query_params["prediction"] == fake_history.OLD

    double_click(page, button(page, "Previous"))
    assert page.query_params["prediction"] == fake_history.TRAY
