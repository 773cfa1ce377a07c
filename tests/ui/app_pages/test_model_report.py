"""The Model report page: filled, a version with few metrics, empty, slow, failing."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, Answer, FakeApi, problem
from tests.ui.fake_insights import CHAMPION
from tests.ui.fake_report import (
    NETWORKS,
    PREVIOUS,
    REPORT,
    SCORES,
    details,
    figure,
    script,
    version,
)

PAGE = "model_report"
PARTS = (
    "Classes",
    "Where to draw the line",
    "Finding fruits",
    "Confidence",
    "Training",
    "Mistakes",
    "Networks",
    "Compare",
)


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> None:
    script(api)


def page_text(page: AppTest) -> str:
    kinds = (page.markdown, page.caption, page.info, page.subheader)
    return "\n".join(element.value for kind in kinds for element in kind)


def part(page: AppTest, name: str) -> AppTest:
    control: Any = page.segmented_control(key="report_part")
    changed: AppTest = control.set_value(name).run()
    assert not changed.exception
    return changed


def test_cost_of_waiting_is_shown(open_page: OpenPage) -> None:
    page = open_page(PAGE)
    table = page.table[1].value
    assert table["Version"].tolist() == [f"`{CHAMPION}`", f"`{PREVIOUS}`"]
    assert table["Right"].tolist() == ["98.0 %", "91.0 %"]
    assert table["This version"].tolist() == ["98.0 %", "98.0 %"]
    assert table["Photos"].tolist() == ["215", "215"]


def test_every_metric_has_its_interval_and_split(open_page: OpenPage) -> None:
    page = open_page(PAGE)

    assert not page.exception
    assert page.selectbox[0].value == CHAMPION
    table = page.table[0].value
    # A no-break space keeps the number and its percent sign on one line.
    metrics = [cell.replace("\N{NO-BREAK SPACE}%", " %") for cell in table.iloc[:, 0]]
    assert " %" not in str(table.iloc[0, 0])
    assert metrics == [
        "Right class, test: **98.0 % (95.0 % to 99.0 %)**",
        "Right class, folds: **98.0 % (95.0 % to 99.0 %)**",
        "Right class, supplied: **99.4 % (95.0 % to 99.0 %)**",
    ]
    assert table["Measured on"][0] == "This version, on 100 files of 50 photos: test split."
    assert table["Measured on"][1].startswith("The recipe")
    assert "98 % of what it has not seen." in page_text(page)


def test_unseen_sources_come_first(open_page: OpenPage, api: FakeApi) -> None:
    left_out = [
        figure("sources", title="Right class, sources never met", split="leave one source out"),
        figure("source", title="Right class, white paper left out"),
        figure("source", title="Right class, market left out"),
    ]
    api.answers[f"/report/{CHAMPION}"] = Answer(
        {**REPORT, "figures": [*left_out, *REPORT["figures"]]}
    )

    page = open_page(PAGE)

    assert not page.exception
    table = page.table[0].value
    assert len(table) == 6
    assert str(table.iloc[0, 0]).startswith("Right class, sources never met")
    assert table["Measured on"][0].endswith("leave one source out.")
    assert "nothing of it was learned from" in page_text(page)


@pytest.mark.parametrize(
    ("name", "text", "charts"),
    [
        ("Classes", "Confusion matrix", 2),
        ("Confidence", "1.4 % away", 4),
        ("Training", "Loss by epoch", 3),
        ("Mistakes", "Worst mistakes", 2),
    ],
)
def test_each_part_of_a_full_version_has_its_charts(
    open_page: OpenPage, name: str, text: str, charts: int
) -> None:
    page = part(open_page(PAGE), name)

    assert text in page_text(page)
    assert len(page.get("plotly_chart")) == charts


def test_quick_version_says_what_was_not_measured(open_page: OpenPage, api: FakeApi) -> None:
    fast = details({"test_by_photograph": SCORES}, {"mode": "fast"})
    api.answers[f"/models/{CHAMPION}"] = Answer(fast)

    page = open_page(PAGE)
    assert len(page.get("plotly_chart")) == 2
    assert "no epochs to show" in page_text(part(page, "Training"))
    page = part(page, "Mistakes")
    assert "was not measured for this version" in page_text(page)
    assert len(page.get("plotly_chart")) == 1


def test_version_with_few_metrics_can_be_selected(open_page: OpenPage) -> None:
    page = open_page(PAGE)
    page.selectbox[0].set_value(PREVIOUS).run()

    for name in PARTS:
        assert not part(page, name).exception
    assert "other photos" in page_text(page)


def test_compared_networks_are_shown(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[f"/report/{CHAMPION}"] = Answer({**REPORT, "comparison": NETWORKS})

    page = part(open_page(PAGE), "Networks")

    assert len(page.get("plotly_chart")) == 3
    assert page.dataframe[0].value["Starts from"].tolist() == ["none (imagenet not available)"]


def test_without_a_network_comparison_the_part_says_how_to_run_it(open_page: OpenPage) -> None:
    assert "make compare" in page_text(part(open_page(PAGE), "Networks"))


def test_two_versions_are_shown_side_by_side(open_page: OpenPage) -> None:
    page = part(open_page(PAGE), "Compare")

    table = page.table[-1].value
    assert table.columns.tolist() == ["Metric", PREVIOUS, CHAMPION]
    assert table[CHAMPION].tolist() == ["98.0 %"]


def test_version_can_be_downloaded(open_page: OpenPage) -> None:
    [download] = open_page(PAGE).download_button
    assert download.label == "Download this version"


def test_version_without_files_cannot_be_downloaded(open_page: OpenPage, api: FakeApi) -> None:
    removed = {**version(CHAMPION, "pruned"), "manifest": details({})["manifest"]}
    api.answers[f"/models/{CHAMPION}"] = Answer(removed)
    assert not open_page(PAGE).download_button


def test_single_version_cannot_be_compared(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/models"] = Answer({"champion": CHAMPION, "models": [version(CHAMPION)]})

    assert "only one version" in page_text(part(open_page(PAGE), "Compare"))


def test_without_a_model_the_page_says_how_to_train_one(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/models"] = Answer({"champion": None, "models": []})

    page = open_page(PAGE)

    assert not page.exception
    assert "make train" in page_text(page)


def test_without_metrics_the_page_says_how_to_measure(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[f"/report/{CHAMPION}"] = Answer({**REPORT, "figures": []})

    assert "make crossvalidate" in page_text(open_page(PAGE))


def test_rejected_request_shows_the_detail_of_the_api(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[f"/report/{CHAMPION}"] = problem(404, "There is no such version.")

    assert "There is no such version." in open_page(PAGE).error[0].value


@pytest.mark.parametrize("path", ["/models", f"/models/{CHAMPION}", "/models/compare"])
def test_failed_request_can_be_retried(open_page: OpenPage, api: FakeApi, path: str) -> None:
    page = open_page(PAGE) if path == "/models/compare" else None
    api.answers[path] = OUTAGE

    page = part(page, "Compare") if page else open_page(PAGE)
    assert not page.exception
    assert "Try again" in [button.label for button in page.button]
    script(api)
    page.button[0].click().run()

    assert not page.error
