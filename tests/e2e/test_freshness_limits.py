"""A person sets the freshness limits, the next photos are graded by them, then resets them."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.pages import fits, no_traceback, open_page, picture, visit
from tests.processes import Running
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until

DESKTOP, PHONE = 1280, 390
PATH = "/freshness-thresholds"


def graded(running: Running, photograph: bytes) -> dict[str, Any]:
    answer = httpx.post(
        f"{running.api_url}/predict", files={"file": photograph}, trust_env=False
    ).raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def known(running: Running) -> bytes:
    """A drawing that the model recognises as a fruit; others have no level."""
    for kind in ("freshoranges", "freshbanana", "freshapples"):
        for seed in range(12):
            drawn = encode(draw_fruit(kind, seed, size=320), "JPEG")
            if graded(running, drawn)["recognised"]:
                return drawn
    pytest.skip("the model takes no drawing for a fruit")


def test_the_limits_are_set_and_reset(browser: Browser, running: Running, tmp_path: Path) -> None:
    photographs = [tmp_path / "known.jpg", tmp_path / "other.jpg"]
    photographs[0].write_bytes(known(running))
    photographs[1].write_bytes(encode(draw_fruit("rottenbanana", seed=4, size=320), "JPEG"))

    def level() -> str:
        found: str = graded(running, photographs[0].read_bytes())["freshness_level"]
        return found

    page = browser.new_page(viewport={"width": DESKTOP, "height": 1000})
    open_page(page, running.ui_url, "retrain")
    page.get_by_role("tab", name="Freshness limits").click()
    expect(page.get_by_text("Set by the model.")).to_be_visible()
    picture(page, "limits-own")
    low, high = page.get_by_role("slider").all()
    marks = [int(handle.input_value()) for handle in (low, high)]
    for _ in range(5):
        low.press("ArrowLeft")
        high.press("ArrowRight")
    page.get_by_role("button", name="Set these limits").click()
    expect(page.get_by_text("Set by a person.")).to_be_visible()
    chosen = httpx.get(f"{running.api_url}{PATH}", trust_env=False).json()
    assert chosen["set_by"] == "user"
    points = [round(100 * chosen[name]) for name in ("rotten_below", "fresh_from")]
    assert points == [marks[0] - 5, marks[1] + 5]

    # Whatever the score is, it lies between these.
    wide = {"rotten_below": 1e-6, "fresh_from": 0.999999}
    httpx.put(f"{running.api_url}{PATH}", json=wide, trust_env=False).raise_for_status()
    assert until(lambda: level() == "past_best", seconds=30)
    for width in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": 1000})
        visit(page, "Predict", "") if width == DESKTOP else open_page(page, running.ui_url, "")
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(photographs[0])
        card = page.locator(".st-key-prediction")
        expect(card.get_by_text("Past its best", exact=True)).to_be_visible()
        fits(page)
        picture(page, f"level-{width}")
    page.get_by_text("Many photos", exact=True).click()
    expect(page.get_by_text("No photos yet")).to_be_visible()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(photographs)
    page.get_by_role("button", name="Grade 2 files").click()
    expect(page.get_by_test_id("stMetricLabel").get_by_text("Past its best")).to_be_visible()
    fits(page)
    picture(page, f"levels-{PHONE}")
    page.set_viewport_size({"width": DESKTOP, "height": 1000})
    picture(page, f"levels-{DESKTOP}")

    open_page(page, running.ui_url, "retrain")
    page.get_by_role("tab", name="Freshness limits").click()
    picture(page, f"limits-{DESKTOP}")
    page.set_viewport_size({"width": PHONE, "height": 1000})
    fits(page)
    picture(page, f"limits-{PHONE}")
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_text("Set by the model.")).to_be_visible()
    no_traceback(page)
    assert until(lambda: level() != "past_best", seconds=30)
    page.close()
