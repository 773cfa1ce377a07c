"""Chromium, if it is installed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ViewportSize, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Lets the pages of a context share parsed and compiled code.
    "--process-per-site",
    # No test uses a page long enough to gain from more optimised code.
    "--js-flags=--no-opt --no-maglev --always-sparkplug",
]


def chromium() -> str | None:
    """The path of the program, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def running_browser(*arguments: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=[*ARGUMENTS, *arguments]
        )
        yield browser
        browser.close()


@contextmanager
def running_profile(window: ViewportSize) -> Iterator[BrowserContext]:
    """A new browser with a profile, which caches loaded and compiled code."""
    with tempfile.TemporaryDirectory(prefix="ripeline-profile-") as folder, sync_playwright() as p:
        context = p.chromium.launch_persistent_context(
            folder, executable_path=chromium(), args=ARGUMENTS, viewport=window
        )
        yield context
        context.close()
