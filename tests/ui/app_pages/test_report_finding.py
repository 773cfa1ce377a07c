"""The part of the Model report about finding the fruits of a photo."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app_pages.test_hostile_text import raw_texts
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi
from tests.ui.fake_insights import CHAMPION
from tests.ui.fake_report import details, script
from tests.ui.hostile_text import EVIL

BOXED: dict[str, Any] = {
    "photographs": 40,
    "fruits": 120,
    "average_precision": 0.9,
    "average_precision_by_fruit": {"apple": 0.97, "banana": 0.83},
    "recall": 0.95,
    "recall_by_size": {
        "small": {"fruits": 0, "recall": None},
        "medium": {"fruits": 50, "recall": 0.9},
        "large": {"fruits": 70, "recall": 0.99},
    },
    "precision": 0.93,
    "right_fruit_of_found": 0.98,
    "right_number": 0.8,
}
METRICS: dict[str, Any] = {
    "split": "test",
    "boxed": BOXED,
    "by_source": {"catalog": BOXED | {"right_number": None}},
    "grades_of_found": {"fruits": 90, "fresh_or_rotten_right": 0.965},
    "single": {"white_paper": {"photographs": 19, "exactly_one": 0.84}},
    "worst_misses": [
        {"file": "crate.jpg", "source": "catalog", "fruits": 9, "missed": 4, "surplus": 0}
    ],
}


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> None:
    script(api)


def open_part(open_page: OpenPage, api: FakeApi, detector: dict[str, Any] | None) -> AppTest:
    answer = details({})
    answer["manifest"]["detector"] = detector
    api.answers[f"/models/{CHAMPION}"] = Answer(answer)
    page = open_page("model_report")
    control: Any = page.segmented_control(key="report_part")
    changed: AppTest = control.set_value("Finding fruits").run()
    assert not changed.exception
    return changed


def a_detector(**changes: Any) -> dict[str, Any]:
    detector = {
        "created_at": "2026-11-21T10:00:00Z",
        "fruits": ["apple", "banana"],
        "input_size": 224,
        "max_overlap": 0.5,
        "parameters": 1_500_000,
        "score_threshold": 0.4,
    }
    return detector | changes


def test_figures_of_a_measured_detector(open_page: OpenPage, api: FakeApi) -> None:
    catalog = {"photographs": 12, "boxes": 31, "sha256": "ab"}
    page = open_part(open_page, api, a_detector(metrics=METRICS, catalog=catalog))
    assert [(each.label, each.value.replace("\xa0", " ")) for each in page.metric] == [
        ("Fruits found", "95.0 %"),
        ("Right number of fruits", "80.0 %"),
        ("Fresh or rotten right", "96.5 %"),
    ]
    captions = " ".join(each.value for each in page.caption)
    assert "40 photos with 120 boxed fruits, held out" in captions
    assert "12 photos with boxes of the training data, with 31 fruits" in captions
    # The version's accuracy, by fruit, and by size.
    assert len(page.get("plotly_chart")) == 3
    sources, worst = (frame.value for frame in page.dataframe)
    assert sources["Photos of"].tolist() == ["Your training data", "White paper, one fruit"]
    assert sources["Right number"].tolist()[0] == "—"
    assert (worst["File"].tolist(), worst["Missed"].tolist()) == (["crate.jpg"], [4])


def test_without_boxed_photos_the_others_are_still_shown(open_page: OpenPage, api: FakeApi) -> None:
    metrics = METRICS | {"boxed": None, "by_source": {}, "worst_misses": []}
    page = open_part(open_page, api, a_detector(metrics=metrics))
    assert "No photo with boxes was held out" in page.info[0].value
    assert len(page.dataframe) == 1


@pytest.mark.parametrize(
    ("detector", "text"),
    [(None, "cannot find the single fruits"), (a_detector(), "was not measured")],
)
def test_missing_measurements_are_explained(
    open_page: OpenPage, api: FakeApi, detector: dict[str, Any] | None, text: str
) -> None:
    assert text in open_part(open_page, api, detector).info[0].value


def test_names_from_outside_are_plain_text(open_page: OpenPage, api: FakeApi) -> None:
    strange = {"file": EVIL, "source": EVIL, "fruits": 9, "missed": 4, "surplus": 0}
    boxed = BOXED | {"average_precision_by_fruit": {EVIL: 0.9}}
    metrics = METRICS | {"boxed": boxed, "worst_misses": [strange], "by_source": {EVIL: boxed}}
    assert raw_texts(open_part(open_page, api, a_detector(metrics=metrics))) == []


def test_file_name_is_never_a_formula(open_page: OpenPage, api: FakeApi) -> None:
    worst = [METRICS["worst_misses"][0] | {"file": "=1+1.jpg"}]
    page = open_part(open_page, api, a_detector(metrics=METRICS | {"worst_misses": worst}))
    assert page.dataframe[1].value["File"].tolist() == ["'=1+1.jpg"]
