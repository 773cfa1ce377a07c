"""A person enters what errors cost and draws the line for a fruit, and photos are graded with
it."""

from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.e2e.pages import (
    SIZES,
    assert_fits_width,
    choose_files,
    no_traceback,
    open_page,
    quiet,
    screenshot,
    visit,
)
from tests.e2e.test_freshness_limits import graded, recognised_drawing
from tests.processes import Running
from tests.waiting import ANSWER_SECONDS, until

PART = "Where to draw the line"
SAVE = "Save this line"


def opened(page: Page, running: Running) -> None:
    open_page(page, running.ui_url, "model_report")
    page.get_by_text(PART, exact=True).click()
    expect(page.get_by_role("heading", name=PART)).to_be_visible()
    quiet(page)


def choose(page: Page, fruit: str) -> None:
    page.get_by_role("combobox", name="Fruit").click()
    page.get_by_role("option", name=fruit.capitalize(), exact=True).click()
    expect(page.get_by_text(f"{fruit.capitalize()} now: ")).to_be_visible()
    quiet(page)


def saved(running: Running, version: str, fruit: str) -> dict[str, Any]:
    answer = httpx.get(f"{running.api_url}/models/{version}/thresholds", trust_env=False).json()
    [found] = [one for one in answer["fruits"] if one["fruit"] == fruit]
    thresholds: dict[str, Any] = found
    return thresholds


def test_line_is_drawn_by_costs_saved_and_reset(
    page: Page, running: Running, tmp_path: Path
) -> None:
    photo = tmp_path / "known.jpg"
    photo.write_bytes(recognised_drawing(running))
    grade = graded(running, photo.read_bytes())
    fruit, version = grade["fruit"], grade["model_version"]
    page.set_viewport_size({"width": 1280, "height": 1000})
    opened(page, running)
    choose(page, fruit)

    # From here on with the keyboard only: the costs, the line, the button.
    costs = page.get_by_role("spinbutton")
    expect(costs).to_have_count(3)
    costs.first.focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("25")
    page.keyboard.press("Enter")
    expect(costs.first).to_have_value("25.00")
    quiet(page)
    expect(page.get_by_text("for 100 fruits").first).to_be_visible()
    line = page.get_by_role("slider")
    line.press("ArrowRight")
    quiet(page)
    chosen = int(line.input_value())
    expect(page.get_by_text(f"At {chosen}: ")).to_be_visible()
    page.get_by_role("button", name=SAVE).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"Saved for {fruit}.")).to_be_visible()
    own = saved(running, version, fruit)
    assert (own["set_by"], round(100 * own["rotten_below"])) == ("fruit", chosen)
    assert own["costs"]["rotten_below"]["let_through"] == 25

    # Every score lies between these, so the level shows which thresholds were used.
    wide = {"rotten_below": 1e-6, "fresh_from": 0.999999}
    path = f"{running.api_url}/models/{version}/thresholds/{fruit}"
    httpx.put(path, json=wide, timeout=ANSWER_SECONDS, trust_env=False).raise_for_status()
    assert until(lambda: graded(running, photo.read_bytes())["freshness_level"] == "past_best")
    visit(page, "Predict", "")
    choose_files(page, photo)
    card = page.locator(".st-key-prediction")
    expect(card.get_by_text("Past its best", exact=True)).to_be_visible()
    expect(page.get_by_text("Rotten below 1, past its best from 1, fresh from 99.")).to_be_visible()
    open_page(page, running.ui_url, "retrain")
    page.get_by_role("tab", name="Freshness limits").click()
    own_lines = f"fruits with lines of their own: {fruit.capitalize()}."
    expect(page.get_by_text(own_lines)).to_be_visible()

    opened(page, running)
    choose(page, fruit)
    page.get_by_role("button", name="Back to the model's own").click()
    expect(page.get_by_text("has no line of its own now")).to_be_visible()
    assert saved(running, version, fruit)["set_by"] == "model"
    no_traceback(page)


def test_part_fits_every_size(page: Page, running: Running) -> None:
    for width, scheme in SIZES:
        page.set_viewport_size({"width": width, "height": 1000})
        page.emulate_media(color_scheme=scheme)
        opened(page, running)
        assert_fits_width(page)
        screenshot(page, f"draw-the-line-{width}-{scheme}")
        page.get_by_text("Fresh or not", exact=True).click()
        quiet(page)
        expect(page.get_by_text("A fresh one marked down costs")).to_be_visible()
        assert_fits_width(page)
        no_traceback(page)
