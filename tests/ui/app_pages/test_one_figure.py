"""A version's accuracy has the same name and value on all pages, with a real API."""

import re
from collections.abc import Iterator

import httpx
import pytest
import state
import streamlit as st
from formatting import TEST_ACCURACY, percent
from streamlit.testing.v1 import AppTest

from tests.processes import running_api
from tests.synthetic_images import draw_fruit, encode
from tests.ui.conftest import APP
from tests.waiting import ANSWER_SECONDS, until

pytestmark = pytest.mark.slow
LEARNED = "Photos of one fruit"
PAGES = ("training_data", "retrain", "model_report", "monitoring")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """An API whose random sample includes every photo."""
    with running_api({"RIPELINE_SAMPLED_SHARE": "1"}) as url:
        monkeypatch.setenv("RIPELINE_API_URL", url)
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            yield client
    st.cache_data.clear()
    st.cache_resource.clear()


def opened(name: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=ANSWER_SECONDS).run()
    return app.switch_page(f"app_pages/{name}.py").run()


def named(page: AppTest, name: str) -> list[str]:
    """The values with this name in a page's tables: a column, or the text after the name in a
    cell."""
    values = []
    for element in (*page.dataframe, *page.table):
        table = element.value
        if name in table.columns:
            values += [str(value) for value in table[name]]
        cells = (str(cell) for cell in table.to_numpy().ravel())
        values += [cell.partition(":")[2] for cell in cells if cell.startswith(f"{name}:")]
    return values


def test_accuracy_of_a_version_is_the_same_on_all_pages(api: httpx.Client) -> None:
    image = encode(draw_fruit("freshapples", seed=1, size=320), "JPEG")
    api.post("/predict", files={"file": image}).raise_for_status()
    # Monitoring shows the accuracy once the review queue has been answered.
    [item] = until(lambda: api.get("/review-queue").json()["items"])
    label = {"prediction_id": item["prediction_id"], "label": item["suggested_label"]}
    api.post("/review-queue", json={"items": [label]}).raise_for_status()
    accuracy = api.get("/models").json()["models"][0]["metrics"]["accuracy"]

    shown = {name: named(opened(name), TEST_ACCURACY) for name in PAGES}

    of_this_version = [
        value.replace("\N{NO-BREAK SPACE}", " ") for one in shown.values() for value in one
    ]
    assert {re.findall(r"[\d.]+ %", value)[0] for value in of_this_version} == {percent(accuracy)}
    assert [name for name in PAGES if shown[name]] == ["retrain", "model_report", "monitoring"]


def test_number_of_photos_learned_is_the_same_on_all_pages(api: httpx.Client) -> None:
    [version] = api.get("/models").json()["models"]
    insights = opened("dataset_insights")
    insights.session_state[state.INSIGHT] = "Copies"
    [copies] = [one.value for one in insights.run().metric if one.label == LEARNED]

    assert named(opened("retrain"), LEARNED) == [str(version["data"]["photographs"])]
    assert copies == f"{version['data']['photographs']:,}"
