"""A first visit without a photo: real processes, the default model, real browser."""

import httpx
from playwright.sync_api import Page, expect

from tests.e2e.hands import Hands
from tests.e2e.pages import is_phone, look, no_traceback, open_page, quiet
from tests.processes import Running


def test_samples_are_graded_and_leave_no_trace(sized_page: Page, running: Running) -> None:
    page = sized_page
    hands = Hands(page, "finger" if is_phone(page) else "keyboard")
    with httpx.Client(base_url=running.api_url, timeout=60, trust_env=False) as api:
        before = api.get("/predictions").json()["total"]
        open_page(page, running.ui_url, "")
        expect(page.get_by_text("The model knows apples, bananas and oranges.")).to_be_visible()
        look(page, "first-visit", "1-start")

        hands.press(page.get_by_role("button", name="An orange", exact=True))
        card = page.locator(".st-key-prediction")
        expect(card.get_by_role("heading", level=2)).to_have_text("Rotten orange")
        expect(page.get_by_text("Is this right?")).to_have_count(0)
        quiet(page)
        look(page, "first-visit", "2-orange")

        hands.press(page.get_by_role("button", name="A tray", exact=True))
        expect(page.locator("[class*=st-key-box-] button").first).to_be_visible()
        expect(card.get_by_role("heading", level=2)).to_contain_text("1 rotten")
        quiet(page)
        look(page, "first-visit", "3-tray")
        no_traceback(page)
        assert api.get("/predictions").json()["total"] == before
