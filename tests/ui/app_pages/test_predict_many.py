"""The Predict page with many photos: selected, sent, graded, stopped, failing."""

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest
from transfer import background_upload

from tests.ui import fake_tray
from tests.ui.app_pages.pages import button, page_text, wait_for_upload
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, FakeApi
from tests.ui.fake_collect import script, zipped
from tests.waiting import until


@pytest.fixture
def page(open_page: OpenPage, api: FakeApi, photo: bytes) -> AppTest:
    """The page, ready for many photos."""
    script(api, photo)
    page = open_page("predict")
    return page.segmented_control(key="photo_source").set_value("Many photos").run()


def choose(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    uploader = page.file_uploader[0]
    uploader.set_value([(name, data, "image/jpeg") for name, data in files])
    page.run()
    assert not page.exception
    return page


def grade(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    [start] = [
        element for element in choose(page, *files).button if element.label.startswith("Grade")
    ]
    start.click().run()
    return wait_for_upload(page, "batch")


def test_empty_page_says_what_to_do(page: AppTest, api: FakeApi) -> None:
    assert "No photos yet" in page_text(page)
    assert not api.sent_to("/predict/batch")


def test_nothing_is_sent_before_the_button_is_pressed(
    page: AppTest, api: FakeApi, photo: bytes
) -> None:
    choose(page, ("a.jpg", photo), ("b.jpg", photo))

    assert button(page, "Grade 2 files")
    assert not api.sent_to("/predict/batch")


def test_each_file_has_a_row_with_its_grade_or_error(page: AppTest, photo: bytes) -> None:
    names = ["a.jpg", "bad.jpg", "rotten.jpg", "shoe.jpg", "old.jpg"]
    grade(page, *((name, b"x" if name == "bad.jpg" else photo) for name in names))

    assert {metric.label: metric.value for metric in page.metric} == {
        "Graded": "4",
        "Fresh": "1",
        "Past its best": "1",
        "Rotten": "1",
        "Not known": "1",
    }
    table = page.dataframe[0].value
    assert table["File"].tolist() == names
    assert table["Grade"].tolist() == [
        "Fresh apple",
        "Could not be graded",
        "Rotten apple",
        "Not known",
        "Apple, past its best",
    ]
    assert table["Level"].fillna("").tolist() == ["Fresh", "", "Rotten", "", "Past its best"]
    assert table["Photo"][0].startswith("data:image/jpeg")
    assert table["Error"][1] == "This is no photo."
    assert "1 file could not be graded" in page.warning[0].value
    assert len(page.get("plotly_chart")) == 1


def test_totals_add_up_with_classes_that_have_no_freshness(page: AppTest, photo: bytes) -> None:
    grade(page, *((name, photo) for name in ("a.jpg", "kiwi.jpg", "shoe.jpg", "old.jpg")))

    totals = {metric.label: int(metric.value) for metric in page.metric}
    assert totals["Freshness not graded"] == 1
    assert totals.pop("Graded") == sum(totals.values()) == 4


def test_table_can_be_filtered(page: AppTest, photo: bytes) -> None:
    grade(page, ("a.jpg", photo), ("bad.jpg", b"x"), ("rotten.jpg", photo), ("shoe.jpg", photo))
    selectbox = page.selectbox(key="batch_shown")
    assert selectbox.options == [
        "All 4 files",
        "Fresh apple (1)",
        "Rotten apple (1)",
        "Not known (1)",
        "Could not be graded (1)",
    ]

    for option, file in zip(selectbox.options[1:], ["a", "rotten", "shoe", "bad"], strict=True):
        page.selectbox(key="batch_shown").select(option).run()
        assert page.dataframe[0].value["File"].tolist() == [f"{file}.jpg"]


def test_500_photos_are_sent_in_small_batches(page: AppTest, api: FakeApi, photo: bytes) -> None:
    grade(page, *((f"{number}.jpg", photo) for number in range(500)))

    assert page.metric[0].value == "500"
    assert len(api.sent_to("/predict/batch")) == 20


def test_zip_is_graded_file_by_file(page: AppTest, photo: bytes) -> None:
    grade(page, ("set.zip", zipped({f"x/{number}.jpg": photo for number in range(30)})))

    assert page.metric[0].value == "30"
    assert page.dataframe[0].value["Photo"].notna().all()


def test_streamlit_keeps_no_copy_of_the_files(
    page: AppTest, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[str] = []
    monkeypatch.setattr(
        MemoryUploadedFileManager, "remove_file", lambda self, session, file: removed.append(file)
    )

    grade(page, ("a.jpg", photo), ("b.jpg", photo))
    button(page, "Grade other photos").click().run()

    assert len(removed) == 2
    assert not page.file_uploader[0].value
    assert "No photos yet" in page_text(page)


def test_table_survives_a_visit_to_another_page(page: AppTest, photo: bytes) -> None:
    grade(page, ("a.jpg", photo))

    page.switch_page("app_pages/training_data.py").run()
    page.switch_page("app_pages/predict.py").run()

    assert page.dataframe[0].value["File"].tolist() == ["a.jpg"]


def test_running_batch_can_be_stopped(page: AppTest, api: FakeApi, photo: bytes) -> None:
    api.slow.add("/predict/batch")
    choose(page, *((f"{number}.jpg", photo) for number in range(30)))
    button(page, "Grade 30 files").click().run()

    [bar] = page.get("progress")
    assert "Grading: 0 of 30 files" in bar.proto.text
    # If stopped earlier, not even the first batch would be sent.
    until(lambda: api.sent_to("/predict/batch"))
    button(page, "Stop").click().run()
    assert button(page, "Stop").disabled

    api.stop()
    wait_for_upload(page, "batch")
    assert "Stopped: 5 files not sent" in page.warning[0].value
    assert page.metric[0].value == "25"


def test_batch_continues_after_an_outage(
    page: AppTest, api: FakeApi, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_upload, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(background_upload, "MAX_WAIT_SECONDS", 0.01)
    working = api.answers.copy()
    api.answers = dict.fromkeys(working, OUTAGE)
    choose(page, ("a.jpg", photo))
    button(page, "Grade 1 file").click().run()
    while page.session_state["batch"].error is None:
        page.run()

    page.run()
    assert not page.exception
    assert "in trouble" in page.warning[0].value

    api.answers = working
    wait_for_upload(page, "batch")
    assert page.dataframe[0].value["Grade"].tolist() == ["Fresh apple"]


def test_outage_before_the_batch_is_reported(open_page: OpenPage, api: FakeApi) -> None:
    api.stop()
    page = open_page("predict")

    page.segmented_control(key="photo_source").set_value("Many photos").run()

    assert not page.exception
    assert "not answering" in page.warning[0].value


def test_photo_of_several_fruits_has_its_counts_and_its_worst(
    page: AppTest, api: FakeApi, photo: bytes
) -> None:
    fake_tray.script(api)
    api.answers["/predict/batch"] = fake_tray.batch_answer
    grade(page, ("tray.jpg", photo), ("one.jpg", photo))
    [asked] = [path for path, _ in api.received if path.startswith("/predict/batch")]
    assert "instances=true" in asked

    table = page.dataframe[0].value
    headline = "4 fruits: 1 rotten, 1 past its best, 1 fresh, 1 not known"
    assert table["Grade"].tolist() == [headline, "Fresh apple"]
    assert table["Confidence"].isna().tolist() == [True, False]
    assert table["Level"].fillna("").tolist() == ["", "Fresh"]
    assert table["Fruits"].fillna(0).tolist() == [3, 0]
    assert table["Worst"].fillna("").tolist() == ["Rotten", ""]
    totals = {metric.label: metric.value for metric in page.metric}
    assert (totals["Fresh"], totals["Rotten"], totals["Not known"]) == ("1", "1", "0")
    assert "counts by the worst of them" in page_text(page)
    page.selectbox(key="batch_shown").select("Several fruits (1)").run()
    assert page.dataframe[0].value["File"].tolist() == ["tray.jpg"]


def test_batch_of_a_model_that_has_lost_its_detector_is_graded(
    page: AppTest, api: FakeApi, photo: bytes
) -> None:
    fake_tray.script(api)
    api.answers["/predict/batch?instances=true"] = fake_tray.NO_DETECTOR
    grade(page, ("a.jpg", photo))

    assert page.dataframe[0].value["Grade"].tolist() == ["Fresh apple"]
