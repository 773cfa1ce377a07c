"""A person sets the freshness limits, which apply to the next photos, then resets them."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.pages import (
    assert_fits_width,
    choose_files,
    no_traceback,
    open_page,
    screenshot,
    visit,
)
from tests.processes import Running
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import ANSWER_SECONDS, until

DESKTOP, PHONE = 1280, 390
PATH = "/freshness-thresholds"


def graded(running: Running, image: bytes) -> dict[str, Any]:
    answer = httpx.post(
        f"{running.api_url}/predict", files={"file": image}, timeout=ANSWER_SECONDS, trust_env=False
    ).raise_for_status()
    prediction: dict[str, Any] = answer.json()
    return prediction


def recognised_drawing(running: Running) -> bytes:
    """A drawing that the model recognises as a fruit; only those have a level."""
    for kind in ("freshoranges", "freshbanana", "freshapples"):
        for seed in range(12):
            image = encode(draw_fruit(kind, seed, size=320), "JPEG")
            if graded(running, image)["recognised"]:
                return image
    pytest.skip("the model recognises none of the drawings")


def handles(page: Page) -> tuple[Locator, Locator]:
    """The two marks of the slider, once it is drawn."""
    sliders = page.get_by_role("slider")
    expect(sliders).to_have_count(2)
    return sliders.first, sliders.last


def test_limits_are_set_applied_and_reset(
    browser: Browser, running: Running, tmp_path: Path
) -> None:
    photos = [tmp_path / "known.jpg", tmp_path / "other.jpg"]
    photos[0].write_bytes(recognised_drawing(running))
    photos[1].write_bytes(encode(draw_fruit("rottenbanana", seed=4, size=320), "JPEG"))

    def level() -> str:
        value: str = graded(running, photos[0].read_bytes())["freshness_level"]
        return value

    page = browser.new_page(viewport={"width": DESKTOP, "height": 1000})
    open_page(page, running.ui_url, "retrain")
    page.get_by_role("tab", name="Freshness limits").click()
    expect(page.get_by_text("Set by the model.")).to_be_visible()
    screenshot(page, "limits-own")
    low, high = handles(page)
    marks = [int(handle.input_value()) for handle in (low, high)]
    for _ in range(5):
        low.press("ArrowLeft")
        high.press("ArrowRight")
    page.get_by_role("button", name="Set these limits").click()
    expect(page.get_by_text("Set by a person.")).to_be_visible()
    limits = httpx.get(f"{running.api_url}{PATH}", trust_env=False).json()
    assert limits["set_by"] == "user"
    points = [round(100 * limits[name]) for name in ("rotten_below", "fresh_from")]
    assert points == [marks[0] - 5, marks[1] + 5]

    # Every score is between these limits.
    wide = {"rotten_below": 1e-6, "fresh_from": 0.999999}
    httpx.put(
        f"{running.api_url}{PATH}", json=wide, timeout=ANSWER_SECONDS, trust_env=False
    ).raise_for_status()
    assert until(lambda: level() == "past_best", seconds=30)
    for width in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": 1000})
        visit(page, "Predict", "") if width == DESKTOP else open_page(page, running.ui_url, "")
        choose_files(page, photos[0])
        card = page.locator(".st-key-prediction")
        expect(card.get_by_text("Past its best", exact=True)).to_be_visible()
        assert_fits_width(page)
        screenshot(page, f"level-{width}")
    page.get_by_text("Many photos", exact=True).click()
    expect(page.get_by_text("No photos yet")).to_be_visible()
    choose_files(page, photos)
    page.get_by_role("button", name="Grade 2 files").click()
    expect(page.get_by_test_id("stMetricLabel").get_by_text("Past its best")).to_be_visible()
    assert_fits_width(page)
    screenshot(page, f"levels-{PHONE}")
    page.set_viewport_size({"width": DESKTOP, "height": 1000})
    screenshot(page, f"levels-{DESKTOP}")

    open_page(page, running.ui_url, "retrain")
    page.get_by_role("tab", name="Freshness limits").click()
    screenshot(page, f"limits-{DESKTOP}")
    page.set_viewport_size({"width": PHONE, "height": 1000})
    assert_fits_width(page)
    screenshot(page, f"limits-{PHONE}")
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_text("Set by the model.")).to_be_visible()
    no_traceback(page)
    assert until(lambda: level() != "past_best", seconds=30)
    page.close()
