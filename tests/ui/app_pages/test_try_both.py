"""The Model report page: two versions on a person's own photos."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.pages import button, page_text
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import PREDICTION, PROBABILITIES, Answer, FakeApi, problem
from tests.ui.fake_collect import sent_names
from tests.ui.fake_insights import CHAMPION
from tests.ui.fake_report import PREVIOUS, script, version
from tests.waiting import PATIENCE_SECONDS

COMPARE = "/models/compare"


def grade(class_name: str, confidence: float, recognised: bool = True) -> dict[str, Any]:
    freshness, fruit = ("rotten", "apple") if "rotten" in class_name else ("fresh", "apple")
    return {
        "predicted_class": class_name,
        "confidence": confidence,
        "probabilities": PROBABILITIES,
        "fruit": fruit,
        "freshness": freshness,
        "freshness_level": freshness,
        "freshness_score": PREDICTION["freshness_score"],
        "recognised": recognised,
    }


def graded_by_both(body: bytes) -> Answer:
    """A photo named `differs` differs, one named `bad` cannot be read."""
    fresh, rotten = grade("freshapples", 0.97), grade("rottenapples", 0.6)
    results: list[dict[str, Any]] = []
    for index, name in enumerate(sent_names(body)):
        row = {"index": index, "filename": name}
        if "bad" in name:
            error = {"type": "t", "title": "T", "status": 415, "detail": "No photo.", "code": "c"}
            results.append({**row, "error": error})
        else:
            b = rotten if "differs" in name else fresh
            results.append({**row, "same": b is fresh, "a": fresh, "b": b})
    summary = {"a": PREVIOUS, "b": CHAMPION, "count": 0, "same": 0, "different": 0, "failed": 0}
    return Answer({"results": results, "summary": summary})


@pytest.fixture
def page(open_page: OpenPage, api: FakeApi) -> AppTest:
    """The part that compares two versions."""
    script(api)
    compared = api.answers[COMPARE]
    assert isinstance(compared, Answer)
    # The metrics are requested without a body.
    api.answers[COMPARE] = lambda body: graded_by_both(body) if body else compared
    page = open_page("model_report")
    control: Any = page.segmented_control(key="report_part")
    return control.set_value("Compare").run()  # type: ignore[no-any-return]


def try_photos(page: AppTest, photo: bytes, *names: str) -> AppTest:
    page.file_uploader[0].set_value([(name, photo, "image/jpeg") for name in names])
    page.run()
    [start] = [one for one in page.button if one.label.startswith("Grade")]
    start.click().run()
    assert page.session_state["trial"].upload.wait(PATIENCE_SECONDS)
    page.run()
    assert not page.exception
    return page


def test_where_the_versions_differ_comes_first(page: AppTest, api: FakeApi, photo: bytes) -> None:
    try_photos(page, photo, "same.jpg", "bad.jpg", "differs.jpg")

    assert {metric.label: metric.value for metric in page.metric}.items() >= {
        "Graded by both": "2",
        "The same": "1",
        "Different": "1",
        "Could not be graded": "1",
    }.items()
    table = page.dataframe[0].value
    assert table["File"].tolist() == ["differs.jpg", "same.jpg", "bad.jpg"]
    before, after = (
        [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in table[name]]
        for name in (PREVIOUS, CHAMPION)
    )
    assert before == ["Fresh apple, 97.0 %", "Fresh apple, 97.0 %", "Could not be graded"]
    assert after[0] == "Rotten apple, 60.0 %"
    assert table[""].tolist() == ["Different", "", ""]
    assert table["Error"].tolist()[-1] == "No photo."
    sent = [path for path, body in api.received if path.startswith(COMPARE) and body]
    assert sent == [f"{COMPARE}?a={PREVIOUS}&b={CHAMPION}"]


def test_only_the_differences_can_be_shown(page: AppTest, photo: bytes) -> None:
    try_photos(page, photo, "same.jpg", "differs.jpg")
    page.toggle(key="only_different").set_value(True).run()

    assert page.dataframe[0].value["File"].tolist() == ["differs.jpg"]


def test_other_photos_can_be_tried(page: AppTest, photo: bytes) -> None:
    try_photos(page, photo, "same.jpg")
    assert page.toggle(key="only_different").disabled
    button(page, "Try other photos").click().run()

    assert not page.exception
    assert button(page, "Grade by both").disabled


def test_rejections_are_shown_file_by_file(page: AppTest, api: FakeApi, photo: bytes) -> None:
    compared = api.answers[COMPARE]
    assert callable(compared)
    refused = problem(409, "The files of the version are damaged.", "model-damaged")
    api.answers[COMPARE] = lambda body: refused if body else compared(body)
    try_photos(page, photo, "a.jpg")

    assert page.dataframe[0].value["Error"].tolist() == ["The files of the version are damaged."]


def test_a_version_without_files_cannot_be_tried(open_page: OpenPage, api: FakeApi) -> None:
    script(api)
    compared = {
        "a": version(PREVIOUS, "pruned"),
        "b": version(CHAMPION),
        "same_data": True,
        "per_class": [],
        "figures": [],
    }
    api.answers[COMPARE] = Answer(compared)
    page = open_page("model_report")
    control: Any = page.segmented_control(key="report_part")
    control.set_value("Compare").run()

    assert not page.exception
    assert "Try both" not in page_text(page)
    assert not page.file_uploader


KEPT = f"{COMPARE}/kept"


def test_photos_of_the_last_week_are_graded_again(
    page: AppTest, api: FakeApi, photo: bytes
) -> None:
    fresh, rotten = grade("freshapples", 0.97), grade("rottenapples", 0.6)
    rows = [
        {
            "index": 0,
            "filename": "a.jpg",
            "prediction_id": "1",
            "same": True,
            "a": fresh,
            "b": fresh,
        },
        {
            "index": 1,
            "filename": "b.jpg",
            "prediction_id": "2",
            "same": False,
            "a": fresh,
            "b": rotten,
        },
    ]
    summary = {"a": PREVIOUS, "b": CHAMPION, "count": 2, "same": 1, "different": 1, "failed": 0}
    api.answers[KEPT] = Answer({"results": rows, "summary": summary})
    api.answers["/predictions/2/photograph"] = Answer(photo, content_type="image/jpeg")
    button(page, "Use photos of the last week").click().run()
    assert not page.exception
    table = page.dataframe[0].value
    assert table["File"].tolist() == ["b.jpg", "a.jpg"]
    assert table["Photo"][0].startswith("data:image/")
    assert not isinstance(table["Photo"][1], str)
    assert [path for path, _ in api.received if path.startswith(KEPT)] == [
        f"{KEPT}?a={PREVIOUS}&b={CHAMPION}&days=7&limit=100"
    ]


def test_page_says_if_no_photos_are_stored(page: AppTest, api: FakeApi) -> None:
    summary = {"a": PREVIOUS, "b": CHAMPION, "count": 0, "same": 0, "different": 0, "failed": 0}
    api.answers[KEPT] = Answer({"results": [], "summary": summary})
    button(page, "Use photos of the last week").click().run()
    assert page.info[-1].value == "No photo of the last week is kept."


def test_stored_photos_that_cannot_be_graded_are_reported(page: AppTest, api: FakeApi) -> None:
    api.answers[KEPT] = problem(409, "The files of the version are damaged.", "model-damaged")
    button(page, "Use photos of the last week").click().run()
    assert "The files of the version are damaged." in page_text(page)
    assert page.file_uploader
