"""The Monitoring page: filled, empty, with drift, failing, slow, and with the API unavailable."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui import fake_learning as fake
from tests.ui import fake_monitoring
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import MODEL_INFO, OUTAGE, Answer, FakeApi, problem


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> FakeApi:
    return fake.script(api)


def monitoring_page(open_page: OpenPage) -> AppTest:
    page = open_page("monitoring")
    assert not page.exception
    return page


def page_text(page: AppTest) -> str:
    return "\n".join(element.value for element in page.markdown)


def test_page_shows_the_current_and_past_service_metrics(open_page: OpenPage, api: FakeApi) -> None:
    serving = MODEL_INFO["model_info"] | {"champion_since": "2026-11-20T10:00:05Z"}
    api.answers["/model-info"] = Answer({"model_info": serving})

    page = monitoring_page(open_page)

    assert [(metric.label, metric.value) for metric in page.metric] == [
        ("Up for", "3 h 25 min"),
        ("Predictions", "40"),
        ("Failed requests", "2"),
        ("Half within", "7 ms"),
        ("95 % within", "13 ms"),
        ("99 % within", "22 ms"),
    ]
    assert "Version `2026.11.21-1` is in use since 20 Nov 2026, 10:00" in page_text(page)
    assert any("recognised: 10.0 %" in caption.value for caption in page.caption)
    # Classes, confidence and timeline.
    assert len(page.get("plotly_chart")) == 3
    # The one drift figure and the one trigger that have a value.
    bars = [part for part in page.get("html") if "threshold-bar" in part.proto.body]
    assert len(bars) == 2


def test_times_name_the_processor(open_page: OpenPage, api: FakeApi) -> None:
    engine = {"name": "litert", "precision": "f32", "milliseconds": 6.1, "processor": "AMD *EPYC*"}
    api.answers["/model-info"] = Answer({**MODEL_INFO, "engine": engine})
    page = monitoring_page(open_page)
    [caption] = [each.value for each in page.caption if "without the network" in each.value]
    assert caption.startswith(r"From photo to grade inside the service on AMD \*EPYC\*, without")


def test_accuracy_in_use_is_beside_the_held_out_one(open_page: OpenPage) -> None:
    page = monitoring_page(open_page)

    [table] = page.table
    assert table.value.iloc[0].tolist()[1:] == [
        "**80.0 %** (71.1 % to 86.7 %), 80 of 100 photos",
        "97.7 %",
    ]
    assert len(table.value) == 1
    assert not any("less often in use" in warning.value for warning in page.warning)


def test_lower_accuracy_in_use_is_an_alert(open_page: OpenPage, api: FakeApi) -> None:
    worse = fake_monitoring.ACCURACY["versions"][0] | {"below_held_out": True}
    api.answers["/monitoring/accuracy"] = Answer({"versions": [worse]})

    page = monitoring_page(open_page)

    assert "is right less often in use" in page.warning[0].value


def test_drift_is_explained(open_page: OpenPage) -> None:
    page = monitoring_page(open_page)

    assert "it may be time to retrain" in page_text(page)
    assert "The photos look different" in page.warning[0].value
    assert "**Mix of classes**: Too few predictions yet: 12 of at least 50." in page_text(page)
    assert any("0.31, limit 0.12" in caption.value for caption in page.caption)


@pytest.mark.parametrize(
    ("enough", "text"),
    [(True, "are like those that the model"), (False, "Too few photos were graded")],
)
def test_no_drift_and_too_few_photos_have_different_messages(
    open_page: OpenPage, api: FakeApi, enough: bool, text: str
) -> None:
    figures = [
        figure | {"drifted": False, "enough": enough} for figure in fake_monitoring.DRIFT["figures"]
    ]
    api.answers["/drift"] = Answer(fake_monitoring.DRIFT | {"drifted": False, "figures": figures})

    page = monitoring_page(open_page)

    assert text in page_text(page)
    assert not page.warning


def test_without_predictions_the_page_says_so(open_page: OpenPage, api: FakeApi) -> None:
    quiet = {"predictions": 0, "latency": None, "slices": fake_monitoring.SUMMARY["slices"][1:]}
    api.answers["/monitoring/summary"] = Answer(fake_monitoring.SUMMARY | quiet)

    page = monitoring_page(open_page)

    assert "Nothing graded in this time" in page_text(page)
    assert [metric.value for metric in page.metric] == ["3 h 25 min", "0", "2"]


def test_another_time_range_is_requested_and_kept(open_page: OpenPage, api: FakeApi) -> None:
    page = monitoring_page(open_page)
    assert api.received[-1][0] != "/monitoring/summary?hours=168"

    page.segmented_control(key="monitoring_hours").set_value(168).run()
    page.switch_page("app_pages/predict.py").run()
    page.switch_page("app_pages/monitoring.py").run()

    assert "/monitoring/summary?hours=168" in [path for path, _ in api.received]
    assert page.segmented_control(key="monitoring_hours").value == 168


def test_without_a_model_the_page_says_how_to_train_one(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/model-info"] = Answer({"model_info": None})

    page = monitoring_page(open_page)

    assert "make train" in page.warning[0].value


def test_failure_of_one_part_does_not_hide_the_others(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/drift"] = OUTAGE

    page = monitoring_page(open_page)

    assert "in trouble" in page.warning[0].value
    assert page.metric


def test_storage_problem_is_shown(open_page: OpenPage, api: FakeApi) -> None:
    problems = {
        "storage_problem": "The store cannot be written.",
        "recording_problem": "3 predictions wait to be recorded.",
    }
    api.answers["/status"] = Answer(fake_monitoring.STATUS | problems)

    page = monitoring_page(open_page)

    assert {*problems.values()} <= {warning.value for warning in page.warning}
    assert page.metric


def test_error_shows_the_detail_of_the_api(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/monitoring/summary"] = problem(503, "The catalog cannot be read.")

    page = monitoring_page(open_page)

    assert "The catalog cannot be read." in page.error[0].value


def test_slow_api_is_reported(
    open_page: OpenPage, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIPELINE_API_TIMEOUT", "0.2")
    api.slow.add("/monitoring/summary")

    page = monitoring_page(open_page)

    assert "taking too long" in page.error[0].value


def test_outage_is_reported_until_the_api_is_back(open_page: OpenPage, api: FakeApi) -> None:
    working = api.answers.copy()
    api.answers = dict.fromkeys(working, OUTAGE)
    page = monitoring_page(open_page)
    assert "in trouble" in page.warning[0].value

    api.answers = working
    page.run()

    assert page.metric[0].value == "3 h 25 min"
