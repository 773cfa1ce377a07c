"""Dataset insights and Model report while the API is slow or unavailable."""

import pytest

from tests.ui.conftest import OpenPage
from tests.ui.fake_api import HEALTH, OUTAGE, Answer, FakeApi
from tests.ui.fake_insights import IMAGE_ID
from tests.ui.fake_report import script

PAGES = {"dataset_insights": "/insights/dataset", "model_report": "/models"}
each_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(autouse=True)
def scripted(api: FakeApi, photo: bytes) -> None:
    script(api)
    api.answers[f"/dataset/images/{IMAGE_ID}/photograph"] = Answer(photo, content_type="image/jpeg")


@each_page
def test_slow_service_is_reported(
    open_page: OpenPage, api: FakeApi, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("RIPELINE_API_TIMEOUT", "0.2")
    api.slow.add(PAGES[name])

    page = open_page(name)

    assert not page.exception
    assert "too long" in page.error[0].value


@each_page
def test_outage_is_reported(open_page: OpenPage, api: FakeApi, name: str) -> None:
    api.stop()

    page = open_page(name)

    assert not page.exception
    assert api.address in page.warning[0].value


@each_page
def test_cached_answers_are_not_shown_during_an_outage(
    open_page: OpenPage, api: FakeApi, name: str
) -> None:
    page = open_page(name)
    assert page.get("plotly_chart")
    api.answers["/health"] = OUTAGE

    page.run()
    assert "continues by itself" in page.warning[0].value
    assert not page.get("plotly_chart")

    api.answers["/health"] = Answer(HEALTH)
    page.run()
    assert not page.warning
    assert page.get("plotly_chart")
