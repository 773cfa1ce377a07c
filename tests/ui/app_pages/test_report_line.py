"""The part "Where to draw the line" of the Model report."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from api.core.threshold_sweep import Costs
from tests.ui import fake_thresholds as fake
from tests.ui.app_pages.pages import button, page_text
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, Answer, FakeApi, problem
from tests.ui.fake_insights import CHAMPION
from tests.ui.fake_report import PREVIOUS, details, script

PATH, SWEEP = fake.path(CHAMPION), fake.sweep_path(CHAMPION)
SHARED, SAVE = "Back to the model's own", "Save this line"
EVEN = Costs(1, 1, None)
NONE: tuple[list[float], list[float]] = ([], [])


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> None:
    script(api)
    fake.script(api, CHAMPION)


@pytest.fixture
def line(open_page: OpenPage) -> AppTest:
    return opened(open_page)


def opened(open_page: OpenPage) -> AppTest:
    page = open_page("model_report")
    page.session_state["report_part"] = "Where to draw the line"
    return run(page)


def body(costs: Costs) -> dict[str, Any]:
    """The fake API's sweep."""
    sweep: dict[str, Any] = json.loads(fake.swept(CHAMPION, costs).body)
    return sweep


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def queries(api: FakeApi) -> list[dict[str, str]]:
    sent = [path.partition("?")[2] for path, _ in api.received if path.startswith(SWEEP)]
    return [dict(part.split("=") for part in query.split("&")) for query in sent]


def test_part_shows_the_errors_of_the_suggested_line(line: AppTest) -> None:
    text = page_text(line)
    suggested = body(EVEN)["held_out"]["suggested"]["threshold"]
    points = round(100 * suggested)
    assert line.slider[0].value == points != 50
    assert f"A line at {points} costs least" in text
    assert f"At {points}: 1 of 31 rotten ones let through" in text
    assert "1 of 51 good ones thrown away" in text
    assert "82 photos that this version had not learned from" in text
    assert "Of the photos that people corrected here: 0 of 2 rotten ones let through" in text
    assert "Apple now: Rotten below 50, past its best from 50, fresh from 82." in text
    assert "They are the model's own." in text
    assert button(line, SHARED).disabled
    assert [box.label for box in line.number_input] == [
        "A rotten one let through costs",
        "A good one thrown away costs",
        "How many of 100 are rotten",
    ]


def test_costs_are_sent_and_move_the_suggestion(line: AppTest, api: FakeApi) -> None:
    assert queries(api)[-1] == {
        "fruit": "apple",
        "line": "rotten_below",
        "let_through_cost": "1.0",
        "refused_cost": "1.0",
        "worse_share": "0.1",
    }
    api.answers[SWEEP] = fake.swept(CHAMPION, Costs(100, 1, 0.5))
    line.number_input[0].set_value(100.0)
    run(line)
    assert queries(api)[-1]["let_through_cost"] == "100.0"
    # A rotten one costs so much that throwing away a few good ones is cheaper.
    assert int(str(line.slider[0].value)) > 75
    assert "0 of 31 rotten ones let through" in page_text(line)


def test_line_is_saved_with_its_costs(line: AppTest, api: FakeApi) -> None:
    answer = fake.of_fruit("apple", rotten_below=0.4, set_by="fruit")
    api.answers[f"{PATH}/apple"] = Answer(answer)
    line.slider[0].set_value(40)
    run(line)
    api.answers[PATH] = fake.of_version(CHAMPION, answer, fake.of_fruit("banana"))
    button(line, SAVE).click()
    run(line)
    [sent] = api.sent_to(f"{PATH}/apple")
    costs = body(EVEN)["costs"]
    assert json.loads(sent) == {
        "rotten_below": 0.4,
        "fresh_from": 0.82,
        "costs": {"rotten_below": costs, "fresh_from": None},
    }
    assert "Saved for apple." in line.success[0].value
    assert "within two seconds" in line.success[0].value
    assert "Apple now: Rotten below 40" in page_text(line)
    assert not button(line, SHARED).disabled
    button(line, SHARED).click()
    api.answers[f"{PATH}/apple"] = Answer(fake.of_fruit("apple"))
    run(line)
    assert api.sent_to(f"{PATH}/apple")[1:] == [b""]
    assert "Apple has no line of its own now." in line.success[0].value


@pytest.mark.parametrize(
    ("kind", "score", "sent"),
    [
        ("rotten_below", 90, {"rotten_below": 0.9, "fresh_from": 0.9}),
        ("fresh_from", 30, {"rotten_below": 0.3, "fresh_from": 0.3}),
        ("fresh_from", 90, {"rotten_below": 0.5, "fresh_from": 0.9}),
    ],
)
def test_the_other_line_moves_along(
    line: AppTest, api: FakeApi, kind: str, score: int, sent: dict[str, float]
) -> None:
    api.answers[SWEEP] = fake.swept(CHAMPION, EVEN, line=kind)
    api.answers[f"{PATH}/apple"] = Answer(fake.of_fruit("apple"))
    control: Any = line.segmented_control(key="line_kind")
    control.set_value(kind)
    run(line)
    line.slider[0].set_value(score)
    run(line)
    button(line, SAVE).click()
    run(line)
    saved = json.loads(api.sent_to(f"{PATH}/apple")[0])
    assert {name: saved[name] for name in sent} == sent


def test_refused_line_stays_and_says_why(line: AppTest, api: FakeApi) -> None:
    api.first[f"{PATH}/apple"].append(problem(409, "Both must lie between 0 and 1."))
    button(line, SAVE).click()
    run(line)
    assert "The line was not changed" in line.error[0].value
    assert "Both must lie between 0 and 1." in line.error[0].value


def test_few_photos_suggest_nothing(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[SWEEP] = fake.swept(CHAMPION, EVEN, rotten=[0.1, 0.2], corrected=NONE)
    page = opened(open_page)
    text = page_text(page)
    assert "Too few photos to suggest a line: 2 rotten ones and 51 good ones" in text
    assert "10 of each are needed" in text
    assert "once somebody says what they are" in text
    assert page.slider[0].value == 50
    assert "costs least" not in text


def test_without_photos_it_says_what_to_do(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[SWEEP] = fake.swept(CHAMPION, EVEN, rotten=[], good=[], corrected=NONE)
    page = opened(open_page)
    assert "No photos to judge by" in page_text(page)
    assert "about one in seven is held out" in page_text(page)


def test_without_freshness_there_is_no_line(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[PATH] = fake.of_version(CHAMPION)
    page = opened(open_page)
    assert "No line to draw" in page_text(page)
    assert not page.slider


def test_line_of_another_version_applies_once_it_is_in_use(
    open_page: OpenPage, api: FakeApi
) -> None:
    fake.script(api, PREVIOUS)
    api.answers[f"/models/{PREVIOUS}"] = Answer(details({}) | {"status": "retired"})
    api.answers[f"{fake.path(PREVIOUS)}/apple"] = Answer(fake.of_fruit("apple"))
    page = opened(open_page)
    page.selectbox[0].set_value(PREVIOUS)
    run(page)
    button(page, SAVE).click()
    run(page)
    assert "once this version is in use" in page.success[0].value


def test_outage_is_reported(open_page: OpenPage, api: FakeApi) -> None:
    api.answers[PATH] = OUTAGE
    page = opened(open_page)
    assert button(page, "Try again")
    assert not page.slider
