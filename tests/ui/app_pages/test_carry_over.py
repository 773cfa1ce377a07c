"""Promoting a version that lacks the thresholds of the previous one."""

import json

import pytest

from tests.ui import fake_learning as fake
from tests.ui import fake_thresholds
from tests.ui.app_pages.retrain_page import has_button, press, retrain_page
from tests.ui.app_pages.retrain_page import scripted as scripted  # noqa: PLC0414 - a fixture
from tests.ui.app_pages.test_retrain_run import PROMOTED
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi

# GET lists the thresholds, POST copies those of another version.
THRESHOLDS = fake_thresholds.path(fake.CANDIDATE)
PROMOTE = f"/models/{fake.CANDIDATE}/promote"


def script_lacking(api: FakeApi, *fruits: str) -> None:
    """Script an API whose candidate lacks the limits of these fruits."""
    answer = fake_thresholds.of_version(fake.CANDIDATE)
    found = json.loads(answer.body) | {"compared_with": fake.CHAMPION, "lacks": list(fruits)}
    api.answers[THRESHOLDS] = lambda sent: Answer(found | {"lacks": []} if sent else found)
    api.answers[PROMOTE] = Answer(PROMOTED | {"lacks_thresholds": list(fruits)})


@pytest.mark.parametrize("wanted", [False, True])
def test_limits_are_carried_over_only_where_wanted(
    open_page: OpenPage, api: FakeApi, wanted: bool
) -> None:
    script_lacking(api, "apple", "banana")
    waiting = fake.PASSED | {"promote": False, "passed": True}
    api.answers["/runs"] = fake.runs(fake.RUN | {"verdict": waiting})
    page = press(retrain_page(open_page), "Put it in use")
    [warning] = [each.value for each in page.warning if "drew the line" in each.value]
    assert "For Apple, Banana, the version in use has limits of its own" in warning
    [choice] = [box for box in page.checkbox if box.label == "Carry the limits of 2 fruits over"]
    assert not choice.value

    if wanted:
        choice.check()
    page.button(key="confirm-promotion").click().run()

    assert not page.exception
    sent = [path for path, body in api.received if path == PROMOTE or (path == THRESHOLDS and body)]
    assert sent == [THRESHOLDS, PROMOTE][not wanted :]
    if wanted:
        [body] = filter(None, api.sent_to(THRESHOLDS))
        assert json.loads(body) == {"from_version": fake.CHAMPION}


def test_nothing_is_asked_where_nothing_is_lacking(open_page: OpenPage, api: FakeApi) -> None:
    script_lacking(api)
    api.answers["/runs"] = fake.runs(fake.RUN | {"verdict": fake.NOT_PASSED})
    page = press(retrain_page(open_page), "Put it in use anyway")
    assert not any("drew the line" in each.value for each in page.warning)
    assert not page.checkbox


def test_limits_can_be_carried_over_after_an_automatic_promotion(
    open_page: OpenPage, api: FakeApi
) -> None:
    script_lacking(api, "apple")
    api.answers["/runs"] = fake.runs(fake.RUN | {"verdict": fake.PASSED})
    versions = json.loads(api.answers["/models"].body)  # type: ignore[union-attr]
    api.answers["/models"] = Answer(versions | {"champion": fake.CANDIDATE})
    api.answers["/retrain/estimate"] = Answer(fake.ESTIMATE | {"champion": fake.CANDIDATE})
    page = retrain_page(open_page)
    assert any("For Apple, the version before had limits" in each.value for each in page.warning)

    script_lacking(api)
    press(page, "Carry them over")

    [body] = filter(None, api.sent_to(THRESHOLDS))
    assert json.loads(body) == {"from_version": fake.CHAMPION}
    assert not has_button(page, "Carry them over")
