"""A version grades along with the one in use, started and stopped in a real browser."""

from pathlib import Path

import httpx
from playwright.sync_api import Browser, expect

from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.e2e.pages import assert_fits_width, no_traceback, open_page, quiet, screenshot
from tests.processes import running_api, running_app
from tests.registry.versions import a_servable_package, register_package
from tests.small_grader import write_small_grader
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import ANSWER_SECONDS, until

CANDIDATE = "candidate"


def test_it_is_started_shows_differences_and_is_stopped(browser: Browser, tmp_path: Path) -> None:
    state = tmp_path / "state"
    settings = {
        "RIPELINE_STATE_DIR": str(state),
        "RIPELINE_MODEL_DIR": str(write_small_grader(tmp_path / "small")),
    }
    with running_api(settings) as api, running_app(api) as app:
        database = Database(f"sqlite:///{state / 'catalog.db'}")
        package = a_servable_package(tmp_path, CANDIDATE)
        register_package(database, Blobs(str(state / "blobs")), package)
        database.close()
        page = browser.new_page()
        open_page(page, app, "model_report")
        page.get_by_role("combobox", name="Version").click()
        page.get_by_role("option", name=CANDIDATE).click()
        quiet(page)
        page.get_by_test_id("stButtonGroup").get_by_text("Compare", exact=True).click()
        start = page.get_by_role("button", name="Let it grade along")
        expect(start).to_be_visible()
        # Scrolling would close a list that opens meanwhile.
        start.scroll_into_view_if_needed()
        quiet(page)
        page.get_by_role("combobox", name="Of the photos").click()
        page.get_by_role("option", name="All of them").click()
        quiet(page)
        start.click()
        stop = page.get_by_role("button", name="Stop grading along")
        expect(stop).to_be_visible()
        with httpx.Client(base_url=api, timeout=ANSWER_SECONDS, trust_env=False) as client:
            shadow = f"/models/{CANDIDATE}/shadow"
            until(lambda: _send(client) and client.get(shadow).json()["graded"] >= 3)
        expect(page.get_by_text("by the version in use").first).to_be_visible()
        no_traceback(page)
        assert_fits_width(page)
        screenshot(page, "grade-along")
        stop.click()
        expect(page.get_by_text("It was stopped.")).to_be_visible()


def _send(client: httpx.Client) -> bool:
    photo = encode(draw_fruit("rottenapples", 1), "JPEG")
    return client.post("/predict", files={"file": photo}).raise_for_status().is_success
