"""500 photographs through the app, graded and then given as training images."""

import re
import tempfile
from pathlib import Path
from time import monotonic

from playwright.sync_api import Page, expect

from benchmarks.spent import Spent
from benchmarks.visiting import WINDOW
from tests.drawing import KINDS, draw_fruit, encode
from tests.e2e.browser import running_profile
from tests.e2e.pages import no_traceback, open_page, quiet

PHOTOGRAPHS = 500
SIDE = 640
WITHIN_MS = 600_000
_UNDER_WAY = re.compile(r": [1-9]\d* of")
_DROPZONE = "stFileUploaderDropzoneInput"


def measure(ui_url: str, api: Spent, app: Spent) -> None:
    """Print how long each way takes and what memory it needs."""
    with tempfile.TemporaryDirectory(prefix="ripeline-photos-") as folder:
        photographs = _drawn(Path(folder))
        size = sum(path.stat().st_size for path in photographs) / 2**20
        print(f"\n{PHOTOGRAPHS} drawn photographs of {SIDE} pixels, {size:.0f} MiB")
        for title, send in (("Batch", _grade), ("Bulk upload", _give)):
            api.forget_peak()
            app.forget_peak()
            before, held = (api.seconds, app.seconds), (api.memory, app.memory)
            with running_profile(WINDOW) as context:
                page = context.new_page()
                started = monotonic()
                progress = send(page, ui_url, photographs)
                seconds = monotonic() - started
                no_traceback(page)
            print(
                f"{title}: {seconds:.1f} s, progress shown {progress}; processor of API "
                f"{api.seconds - before[0]:.1f} s, of the app {app.seconds - before[1]:.1f} s; "
                f"memory of the app {held[1]:.0f} MiB before, {app.peak:.0f} MiB at most, of the "
                f"API {held[0]:.0f} and {api.peak:.0f} MiB",
                flush=True,
            )


def _grade(page: Page, ui_url: str, photographs: list[Path]) -> str:
    open_page(page, ui_url, "")
    page.get_by_text("Many photos", exact=True).click()
    _choose(page, photographs)
    page.get_by_role("button", name=f"Grade {PHOTOGRAPHS} files").click()
    progress = _progress(page)
    expect(page.get_by_test_id("stDataFrame")).to_be_visible(timeout=WITHIN_MS)
    quiet(page)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(f"{PHOTOGRAPHS}")
    return progress


def _give(page: Page, ui_url: str, photographs: list[Path]) -> str:
    open_page(page, ui_url, "training_data")
    box = page.get_by_role("combobox", name="Class")
    box.fill("Drawn")
    box.press("Enter")
    expect(box).to_have_value("Drawn")
    _choose(page, photographs)
    page.get_by_role("button", name=f"Add {PHOTOGRAPHS} files").click()
    progress = _progress(page)
    told = page.get_by_test_id("stAlert").filter(has_text="photos added")
    expect(told).to_contain_text(f"{PHOTOGRAPHS} photos added", timeout=WITHIN_MS)
    return progress


def _choose(page: Page, photographs: list[Path]) -> None:
    page.set_default_timeout(WITHIN_MS)
    quiet(page)
    page.get_by_test_id(_DROPZONE).set_input_files(photographs)


def _progress(page: Page) -> str:
    """What the bar says when the first files are done."""
    bar = page.get_by_test_id("stProgress").filter(has_text=_UNDER_WAY)
    expect(bar).to_be_visible(timeout=WITHIN_MS)
    return f"“{bar.inner_text()}”"


def _drawn(folder: Path) -> list[Path]:
    """Photographs that look like none of the others."""
    names = list(KINDS)
    paths = []
    for seed in range(PHOTOGRAPHS):
        path = folder / f"drawn-{seed}.jpg"
        picture = draw_fruit(names[seed % len(names)], 100_000 + seed, SIDE)
        path.write_bytes(encode(picture, "JPEG", quality=92))
        paths.append(path)
    return paths
