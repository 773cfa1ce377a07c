"""The Predict page: empty, filled, failing, and with the API unavailable."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, PREDICTION, Answer, FakeApi, problem


def upload(page: AppTest, name: str, data: bytes) -> AppTest:
    page.file_uploader(key="upload").set_value((name, data, "image/jpeg"))
    page.run()
    assert not page.exception
    return page


def page_text(page: AppTest) -> str:
    return "\n".join(element.value for element in page.markdown)


def test_empty_page_says_what_to_do(open_page: OpenPage, api: FakeApi) -> None:
    page = open_page("predict")

    assert not page.exception
    assert "No photo yet" in page_text(page)
    assert not page.camera_input
    assert not api.sent_to("/predict")


def test_photo_is_shown_with_its_grade(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    page = upload(open_page("predict"), "apple.jpg", photo)

    assert page.header[0].value == "Fresh apple"
    assert [(metric.label, metric.value) for metric in page.metric] == [
        ("Freshness score", "98 / 100"),
        ("Level", "Fresh"),
    ]
    assert PREDICTION["interpretation"] in page_text(page)
    assert len(page.image) == 1
    assert len(page.get("plotly_chart")) == 1
    assert "Model 2026.11.21-1 · 7 ms" in [caption.value for caption in page.caption]
    assert "/predict" in page.code[0].value
    assert photo in api.sent_to("/predict")[0]


def test_past_its_best_is_in_the_heading(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    api.answers["/predict"] = Answer(PREDICTION | {"freshness_level": "past_best"})
    page = upload(open_page("predict"), "apple.jpg", photo)

    assert page.header[0].value == "Apple, past its best"
    assert page.metric[1].value == "Past its best"


def test_own_lines_of_the_fruit_are_shown(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    own = {"freshness_thresholds": {"rotten_below": 0.4, "fresh_from": 0.9}}
    api.answers["/predict"] = Answer(PREDICTION | own)
    page = upload(open_page("predict"), "apple.jpg", photo)

    text = "Rotten below 40, past its best from 40, fresh from 90."
    assert text in [caption.value for caption in page.caption]


def test_heading_is_the_class_if_the_level_differs(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    """Feedback is about the class, so the heading shows the class."""
    rotten = {"predicted_class": "rottenapples", "freshness": "rotten"}
    api.answers["/predict"] = Answer(PREDICTION | rotten | {"freshness_level": "past_best"})
    page = upload(open_page("predict"), "apple.jpg", photo)

    assert page.header[0].value == "Rotten apple"
    assert page.metric[1].value == "Past its best"


def test_photo_is_sent_once_across_reruns(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    page = upload(open_page("predict"), "apple.jpg", photo)
    page.run()
    page.run()

    assert len(api.sent_to("/predict")) == 1
    assert page.header[0].value == "Fresh apple"


def test_next_photo_replaces_the_last(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    page = upload(open_page("predict"), "apple.jpg", photo)
    api.answers["/predict"] = Answer(PREDICTION | {"fruit": "banana", "freshness": "rotten"})

    upload(page, "banana.jpg", photo + b"\0")

    assert page.header[0].value == "Rotten banana"


def test_grade_of_the_last_photo_is_gone_while_the_next_is_graded(
    open_page: OpenPage, api: FakeApi, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamlit keeps old elements until the page's run ends, and the API may hang."""
    runs: list[LocalScriptRunner] = []
    original = LocalScriptRunner.__init__

    def recorded(runner: LocalScriptRunner, *args: Any, **options: Any) -> None:
        original(runner, *args, **options)
        runs.append(runner)

    monkeypatch.setattr(LocalScriptRunner, "__init__", recorded)
    emptied: list[int] = []

    def graded(_: bytes) -> Answer:
        for message in runs[-1].forward_msgs():
            if message.delta.new_element.WhichOneof("type") == "empty":
                emptied.append(message.metadata.delta_path[1])
        return Answer(PREDICTION)

    page = upload(open_page("predict"), "apple.jpg", photo)
    children = page.main.children
    # The first element is the place for suggested retrainings.
    _, place = [number for number, child in children.items() if child.type == "flex_container"]
    api.answers["/predict"] = graded
    upload(page, "next.jpg", photo + b"\0")

    assert place in emptied


def test_removing_the_photo_starts_over(open_page: OpenPage, photo: bytes) -> None:
    page = upload(open_page("predict"), "apple.jpg", photo)

    page.file_uploader(key="upload").clear().run()

    assert not page.header
    assert "No photo yet" in page_text(page)


def test_grade_survives_a_visit_to_another_page(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    page = upload(open_page("predict"), "apple.jpg", photo)

    page.switch_page("app_pages/monitoring.py").run()
    page.switch_page("app_pages/predict.py").run()

    assert page.header[0].value == "Fresh apple"
    assert len(api.sent_to("/predict")) == 1


def test_photo_from_the_camera_is_graded(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    page = open_page("predict")
    page.segmented_control(key="photo_source").set_value("Take a photo").run()

    page.camera_input(key="camera").upload("camera.jpg", photo).run()

    assert page.header[0].value == "Fresh apple"
    assert photo in api.sent_to("/predict")[0]


def test_unrecognised_photo_is_not_called_a_fruit(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    api.answers["/predict"] = Answer(PREDICTION | {"recognised": False, "freshness": None})

    page = upload(open_page("predict"), "shoe.jpg", photo)

    assert page.header[0].value == "Not one of the fruits that I know"
    assert not page.metric


def test_class_without_a_freshness_shows_no_score(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    api.answers["/predict"] = Answer(
        PREDICTION
        | {
            "predicted_class": "dragon_fruit",
            "fruit": "dragon fruit",
            "freshness": None,
            "freshness_score": None,
            "freshness_level": None,
        }
    )

    page = upload(open_page("predict"), "fruit.jpg", photo)

    assert page.header[0].value == "Dragon fruit"
    assert not page.metric


def test_heic_without_preview_is_graded(open_page: OpenPage) -> None:
    page = upload(open_page("predict"), "IMG_2041.heic", b"\0\0\0\x18ftypheic")

    assert page.header[0].value == "Fresh apple"
    assert not page.image
    assert "IMG\\_2041.heic was graded" in page.info[0].value


def test_rejected_file_shows_the_detail_of_the_api_and_is_sent_once(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers["/predict"] = problem(415, "The file is no photo.")

    page = upload(open_page("predict"), "notes.jpg", b"some text")
    page.run()

    assert "The file is no photo." in page.error[0].value
    assert not page.button
    assert len(api.sent_to("/predict")) == 1


def test_failed_prediction_can_be_retried(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    api.first["/predict"].append(problem(503, "No model is loaded yet."))
    page = upload(open_page("predict"), "apple.jpg", photo)
    assert "No model is loaded yet." in page.error[0].value

    page.button[0].click().run()

    assert page.header[0].value == "Fresh apple"
    assert not page.error


def test_outage_names_the_address_and_what_to_do(open_page: OpenPage, api: FakeApi) -> None:
    api.stop()

    page = open_page("predict")

    assert not page.exception
    assert "not answering" in page.warning[0].value
    assert api.address in page.warning[0].value
    assert "make run" in page.warning[0].value


def test_page_recovers_when_the_api_is_back(open_page: OpenPage, api: FakeApi) -> None:
    api.first["/health"].append(OUTAGE)

    page = open_page("predict")

    assert not page.warning
    assert "No photo yet" in page_text(page)


def test_photo_selected_during_an_outage_is_graded_afterwards(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    working = api.answers.copy()
    api.answers = dict.fromkeys(working, OUTAGE)
    page = upload(open_page("predict"), "apple.jpg", photo)
    assert "in trouble" in page.warning[0].value

    api.answers = working
    page.run()

    assert page.header[0].value == "Fresh apple"
