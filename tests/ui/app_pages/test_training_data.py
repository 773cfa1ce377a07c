"""Adding photos on the Training data page by class or folder, the report, and failures."""

import pytest
from formatting import class_label
from streamlit.testing.v1 import AppTest
from transfer import background_upload

from tests.ui.app_pages.pages import button, page_text, wait_for_upload
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, FakeApi, problem
from tests.ui.fake_collect import script, sent_class, sent_names, zipped

UPLOAD = "/upload-training-data"


@pytest.fixture
def page(open_page: OpenPage, api: FakeApi, photo: bytes) -> AppTest:
    script(api, photo)
    return open_page("training_data")


def choose(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    page.file_uploader[0].set_value([(name, data, "image/jpeg") for name, data in files])
    page.run()
    assert not page.exception
    return page


def start(page: AppTest) -> AppTest:
    [add] = [button for button in page.button if button.label.startswith("Add")]
    add.click().run()
    return wait_for_upload(page, "training_upload")


def test_empty_page_shows_the_catalog_size_and_what_to_do(page: AppTest) -> None:
    assert not page.exception
    assert "2,010 photos of 3 classes, 3 of them new to the model" in page_text(page)
    assert "Nothing chosen yet" in page_text(page)


def test_photos_without_a_class_cannot_be_sent(page: AppTest, photo: bytes) -> None:
    choose(page, ("a.jpg", photo))

    assert button(page, "Add 1 file").disabled


@pytest.mark.parametrize("class_name", ["freshapples", "dragon fruit"])
def test_each_photo_of_a_known_or_new_class_is_reported(
    page: AppTest, api: FakeApi, photo: bytes, class_name: str
) -> None:
    page.selectbox(key="upload_class").set_value(class_name).run()
    choose(page, ("a.jpg", photo), ("again.jpg", photo), ("bad.jpg", b"x"))
    start(page)

    assert [(metric.label, metric.value) for metric in page.metric] == [
        ("Added", "1"),
        ("Already known", "1"),
        ("Rejected", "1"),
    ]
    table = page.dataframe[0].value
    assert dict(zip(table["File"], table["Details"], strict=True)) == {
        "a.jpg": "To learn from.",
        "again.jpg": f"This file is known already, as {class_label(class_name)}.",
        "bad.jpg": "This is no photo.",
    }
    [body] = api.sent_to(UPLOAD)
    assert sent_class(body) == class_name
    assert "Go to Retrain" in page.success[0].value


def test_report_can_be_filtered(page: AppTest, photo: bytes) -> None:
    page.selectbox(key="upload_class").set_value("kiwi").run()
    start(choose(page, ("a.jpg", photo), ("again.jpg", photo), ("bad.jpg", b"x")))

    page.pills(key="upload_shown").set_value(["refused"]).run()

    assert page.dataframe[0].value["File"].tolist() == ["bad.jpg"]


def test_folders_of_a_single_class_zip_are_ignored(
    page: AppTest, api: FakeApi, photo: bytes
) -> None:
    page.selectbox(key="upload_class").set_value("kiwi").run()
    start(choose(page, ("set.zip", zipped({"monday/1.jpg": photo, "tuesday/2.jpg": photo}))))

    [body] = api.sent_to(UPLOAD)
    assert sent_class(body) == "kiwi"
    assert sent_names(body) == ["set.zip/1.jpg", "set.zip/2.jpg"]


def test_class_folders_of_a_zip_name_the_classes(page: AppTest, api: FakeApi, photo: bytes) -> None:
    page.radio(key="upload_kind").set_value("A zip with a folder for each class").run()
    entries = {f"set/{name}/{n}.jpg": photo for name in ("kiwi", "fig") for n in range(30)}
    start(choose(page, ("set.zip", zipped(entries))))

    assert page.metric[0].value == "60"
    assert set(page.dataframe[0].value["Class"]) == {"Kiwi", "Fig"}
    assert [sent_class(body) for body in api.sent_to(UPLOAD)] == [None] * 3


def test_500_photos_are_sent_in_small_batches(page: AppTest, api: FakeApi, photo: bytes) -> None:
    page.selectbox(key="upload_class").set_value("kiwi").run()
    start(choose(page, *((f"{number}.jpg", photo) for number in range(500))))

    assert page.metric[0].value == "500"
    assert len(api.sent_to(UPLOAD)) == 20


def test_rejected_batch_is_reported_file_by_file(page: AppTest, api: FakeApi, photo: bytes) -> None:
    api.answers[UPLOAD] = problem(422, "That is no class name.")
    page.selectbox(key="upload_class").set_value("!!").run()
    start(choose(page, ("a.jpg", photo), ("b.jpg", photo)))

    table = page.dataframe[0].value
    assert table["Details"].tolist() == ["That is no class name."] * 2
    assert "Nothing was added" in page.info[0].value


def test_another_upload_can_follow_the_report(page: AppTest, photo: bytes) -> None:
    page.selectbox(key="upload_class").set_value("kiwi").run()
    start(choose(page, ("a.jpg", photo)))

    button(page, "Add other photos").click().run()

    assert "Nothing chosen yet" in page_text(page)
    assert page.selectbox(key="upload_class").value == "kiwi"


def test_upload_continues_after_an_outage(
    page: AppTest, api: FakeApi, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_upload, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(background_upload, "MAX_WAIT_SECONDS", 0.01)
    page.selectbox(key="upload_class").set_value("kiwi").run()
    choose(page, ("a.jpg", photo))
    working = api.answers.copy()
    api.answers = dict.fromkeys(working, OUTAGE)
    button(page, "Add 1 file").click().run()
    while page.session_state["training_upload"].error is None:
        page.run()
    page.run()
    assert not page.exception
    assert "in trouble" in page.warning[0].value

    api.answers = working
    assert wait_for_upload(page, "training_upload").metric[0].value == "1"


def test_outage_is_reported(open_page: OpenPage, api: FakeApi) -> None:
    api.stop()

    page = open_page("training_data")

    assert not page.exception
    assert "not answering" in page.warning[0].value
    assert not page.file_uploader


def test_slow_summary_leaves_the_page_usable(
    page: AppTest, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIPELINE_API_TIMEOUT", "0.05")
    api.slow.add("/dataset/summary")

    page.run()

    assert not page.exception
    assert page.file_uploader


def test_typed_label_is_the_known_class_and_a_new_name_is_asked_about(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    script(api, photo)
    page = open_page("training_data")
    [box] = [box for box in page.selectbox if box.label == "Class"]
    page = box.set_value("fresh apple").run()
    assert not page.checkbox
    [box] = [box for box in page.selectbox if box.label == "Class"]
    page = box.set_value("fresh_apples").run()
    [question] = page.checkbox
    assert question.label.startswith(r"fresh\_apples is a class of its own")
