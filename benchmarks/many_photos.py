"""500 photos graded in the app, then uploaded there as training data."""

import re
import tempfile
from pathlib import Path
from time import monotonic

from playwright.sync_api import Page, expect

from benchmarks.cpu_time import ProcessUsage
from benchmarks.page_timing import WINDOW
from tests.e2e.browser import running_profile
from tests.e2e.pages import choose_files, no_traceback, open_page, quiet
from tests.synthetic_images import KINDS, draw_fruit, encode

PHOTOS = 500
SIDE = 640
WITHIN_MS = 600_000
_UNDER_WAY = re.compile(r": [1-9]\d* of")


def measure(ui_url: str, api: ProcessUsage, app: ProcessUsage) -> None:
    """Print the time and memory of both."""
    with tempfile.TemporaryDirectory(prefix="ripeline-photos-") as folder:
        photos = _drawn(Path(folder))
        size = sum(path.stat().st_size for path in photos) / 2**20
        print(f"\n{PHOTOS} drawn photos of {SIDE} pixels, {size:.0f} MiB")
        for title, send in (("Batch", _grade), ("Bulk upload", _upload)):
            api.reset_peak()
            app.reset_peak()
            api_before, app_before = api.cpu_seconds, app.cpu_seconds
            api_memory, app_memory = api.memory, app.memory
            with running_profile(WINDOW) as context:
                page = context.new_page()
                started = monotonic()
                progress = send(page, ui_url, photos)
                seconds = monotonic() - started
                no_traceback(page)
            api_seconds, app_seconds = api.cpu_seconds - api_before, app.cpu_seconds - app_before
            print(
                f"{title}: {seconds:.1f} s, progress shown {progress}; CPU of the API "
                f"{api_seconds:.1f} s, of the app {app_seconds:.1f} s; peak memory of the app "
                f"{app.peak:.0f} MiB ({app_memory:.0f} before), of the API {api.peak:.0f} MiB "
                f"({api_memory:.0f} before)",
                flush=True,
            )


def _grade(page: Page, ui_url: str, photos: list[Path]) -> str:
    open_page(page, ui_url, "")
    page.get_by_text("Many photos", exact=True).click()
    _choose(page, photos)
    page.get_by_role("button", name=f"Grade {PHOTOS} files").click()
    progress = _progress(page)
    expect(page.get_by_test_id("stDataFrame")).to_be_visible(timeout=WITHIN_MS)
    quiet(page)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(f"{PHOTOS}")
    return progress


def _upload(page: Page, ui_url: str, photos: list[Path]) -> str:
    open_page(page, ui_url, "training_data")
    box = page.get_by_role("combobox", name="Class")
    box.fill("Drawn")
    box.press("Enter")
    expect(box).to_have_value("Drawn")
    _choose(page, photos)
    page.get_by_role("button", name=f"Add {PHOTOS} files").click()
    progress = _progress(page)
    message = page.get_by_test_id("stAlert").filter(has_text="photos added")
    expect(message).to_contain_text(f"{PHOTOS} photos added", timeout=WITHIN_MS)
    return progress


def _choose(page: Page, photos: list[Path]) -> None:
    page.set_default_timeout(WITHIN_MS)
    quiet(page)
    choose_files(page, photos)


def _progress(page: Page) -> str:
    """The progress bar's text after the first files."""
    bar = page.get_by_test_id("stProgress").filter(has_text=_UNDER_WAY)
    expect(bar).to_be_visible(timeout=WITHIN_MS)
    return f"“{bar.inner_text()}”"


def _drawn(folder: Path) -> list[Path]:
    """Photos that are not near-duplicates of one another."""
    names = list(KINDS)
    paths = []
    for seed in range(PHOTOS):
        path = folder / f"drawn-{seed}.jpg"
        image = draw_fruit(names[seed % len(names)], 100_000 + seed, SIDE)
        path.write_bytes(encode(image, "JPEG", quality=92))
        paths.append(path)
    return paths
