"""A new class is added, retrained, tried, corrected and rolled back in a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.pages import (
    PAGES,
    assert_fits_width,
    choose_files,
    look,
    no_traceback,
    open_page,
    screenshot,
    visit,
)
from tests.ood_images import draw_distinct_ood
from tests.processes import Running
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until

UPLOAD_TIMEOUT_MS = 300_000
SERVE_TIMEOUT_SECONDS = 60
PHOTOS = 60
DESKTOP, PHONE = 1280, 390


@pytest.fixture(scope="module")
def api(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.api_url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def rings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Photos of a class that the grader does not know, and one more to try."""
    folder = tmp_path_factory.mktemp("rings")
    paths = [folder / f"rings-{seed}.jpg" for seed in range(PHOTOS + 1)]
    for seed, path in enumerate(paths):
        image = draw_distinct_ood("rings", seed)
        path.write_bytes(encode(image, "JPEG", quality=92))
    return paths


def test_new_class_is_added_retrained_corrected_and_rolled_back(
    browser: Browser, running: Running, api: httpx.Client, rings: list[Path]
) -> None:
    *training, unseen = rings
    first = served(api)
    page = browser.new_page(viewport={"width": DESKTOP, "height": 1000})
    open_page(page, running.ui_url, "training_data")
    upload(page, training)
    visit(page, "Retrain", "retrain")
    candidate = retrain(page, api)
    wait_until_served(api, candidate)
    assert "rings" in api.get("/model-info").json()["model_info"]["classes"]

    visit(page, "Model report", "model_report")
    try_both(page, unseen)

    visit(page, "Predict", "")
    correct(page, unseen, api)

    visit(page, "Retrain", "retrain")
    roll_back(page, first)
    wait_until_served(api, first)
    answer = api.post("/predict", files={"file": unseen.read_bytes()}).json()
    assert (answer["model_version"], "rings" in answer["probabilities"]) == (first, False)
    expect(page.get_by_text("was in use; another version is now")).to_be_visible()
    no_traceback(page)
    page.close()


def test_every_page_fits_without_errors(sized_page: Page, running: Running, tmp_path: Path) -> None:
    orange = tmp_path / "orange.jpg"
    orange.write_bytes(encode(draw_fruit("freshoranges", seed=4, size=320), "JPEG", quality=92))
    page = sized_page
    for address in PAGES:
        open_page(page, running.ui_url, address)
        if not address:
            choose_files(page, orange)
            expect(page.locator(".st-key-chart-probabilities .js-plotly-plot")).to_be_visible()
        look(page, "page", address or "predict")
        no_traceback(page)


def upload(page: Page, photos: list[Path]) -> None:
    choose(page, page.get_by_role("combobox", name="Class"), "Rings")
    choose_files(page, photos)
    page.get_by_role("button", name=f"Add {len(photos)} files").click()
    alert = page.get_by_test_id("stAlert").filter(has_text="Go to Retrain")
    expect(alert).to_contain_text(f"{len(photos)} photos added", timeout=UPLOAD_TIMEOUT_MS)


def retrain(
    page: Page,
    api: httpx.Client,
    press: Callable[[Locator], None] = Locator.click,
    outcome: str = "is now in use",
) -> str:
    """Press the button, watch the run across a reload, and return the version that passed the
    checks."""
    earlier = len(api.get("/runs").json()["runs"])
    expect(page.get_by_role("heading", name="New since the current version")).to_be_visible()
    press(page.get_by_role("button", name="Retrain", exact=True))
    running = page.get_by_role("heading", name="Quick retraining is")
    expect(running).to_be_visible()
    page.reload()
    ended = page.get_by_role("heading", name="New model compared with the current one")
    expect(running.or_(ended)).to_be_visible()

    def finished() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = api.get("/runs").json()["runs"]
        return [] if found[0]["state"] in ("queued", "running") else found

    runs = until(finished)
    expect(ended).to_be_visible()
    assert [run["state"] for run in runs] == ["succeeded"] * (earlier + 1)
    candidate: str = runs[0]["candidate"]
    # Photos with boxes have their own alert.
    verdict = f"Version {candidate} passed the checks and {outcome}"
    expect(page.get_by_test_id("stAlert").filter(has_text=verdict)).to_be_visible()
    screenshot(page, "story-verdict")
    return candidate


def correct(page: Page, photo: Path, api: httpx.Client) -> None:
    """Grade a photo of the new class, and correct it."""
    choose_files(page, photo)
    card = page.locator(".st-key-prediction")
    expect(card.get_by_role("heading", level=2)).to_have_text("Rings")
    page.get_by_role("button", name="No, it is").click()
    choose(page, page.get_by_role("combobox", name="The right class"), "Fresh apple")
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_role("button", name="Change the answer")).to_be_visible()
    corrected = api.get("/dataset/images", params={"origin": "feedback"}).json()["images"]
    assert [image["class_name"] for image in corrected] == ["freshapples"]


def try_both(page: Page, photo: Path) -> None:
    """Grade a photo of the new class with the previous and the new version."""
    page.get_by_role("radio", name="Compare").or_(
        page.get_by_role("button", name="Compare", exact=True)
    ).first.click()
    heading = page.get_by_role("heading", name="Try both on your own photos")
    expect(heading).to_be_visible()
    for width in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        screenshot(page, f"story-try-both-empty-{width}")
    page.set_viewport_size({"width": DESKTOP, "height": 1000})
    choose_files(page, photo)
    page.get_by_role("button", name="Grade 1 file by both").click()
    metric = page.get_by_test_id("stMetric").filter(has_text="Different")
    expect(metric.get_by_test_id("stMetricValue")).to_have_text("1")
    expect(page.get_by_text("Only where they differ")).to_be_visible()
    for width in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        # The table adapts to the window's width a little later.
        screenshot(page, f"story-try-both-{width}")
        assert_fits_width(page)
    page.set_viewport_size({"width": DESKTOP, "height": 1000})


def roll_back(page: Page, first: str) -> None:
    page.get_by_role("button", name="Roll back", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(first)
    screenshot(page, "story-roll-back")
    dialog.get_by_role("button", name="Roll back", exact=True).click()
    expect(dialog).to_have_count(0)


def choose(page: Page, box: Locator, name: str) -> None:
    """Type a known or new class into a select box."""
    box.fill(name)
    box.press("Enter")
    expect(box).to_have_value(name)


def served(api: httpx.Client) -> str:
    version: str = api.get("/model-info").json()["model_info"]["version"]
    return version


def wait_until_served(api: httpx.Client, version: str) -> None:
    until(lambda: served(api) == version, seconds=SERVE_TIMEOUT_SECONDS)
