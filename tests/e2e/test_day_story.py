"""A grader's day, by mouse, by finger and by keyboard only: a lot is inspected, its report is sent,
and the lot is found again the next day; its corrections are learned, and a person puts the new
version in use.

Real processes, the default model, real browser.
"""

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pypdf
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import func, update

from api.storage.db import Base, Database, UtcDateTime
from tests.drawn_tray import TRAY, draw_tray_of, rearranged
from tests.e2e.browser import chromium
from tests.e2e.conftest import WITHOUT_BROWSER
from tests.e2e.hands import Hands
from tests.e2e.pages import (
    PHONE,
    expect_title,
    is_phone,
    look,
    no_traceback,
    open_page,
    quiet,
    wait_until_drawn,
)
from tests.e2e.test_story import retrain, served, wait_until_served
from tests.e2e.test_tray_story import is_learned
from tests.processes import Running, running_everything
from tests.synthetic_images import encode

PHOTOS = 12
LOT, SUPPLIER = "A-17", "Hofgut Lindau"
FRUITS_ON_A_PAGE = 12
LEVELS = {"rotten": "Rotten", "past_best": "Past its best", "fresh": "Fresh", None: "Not known"}


@pytest.fixture(scope="module")
def trays(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Trays of six fruits, one of them rotten, in different places on each tray."""
    folder = tmp_path_factory.mktemp("trays")
    paths = [folder / f"tray-{number:02}.jpg" for number in range(1, PHOTOS + 1)]
    for number, path in enumerate(paths):
        fruits = rearranged(number % len(TRAY))
        if number >= len(TRAY):
            fruits = [fruit._replace(x=1 - fruit.x) for fruit in fruits]
        path.write_bytes(encode(draw_tray_of(fruits, seed=number), "JPEG", quality=90))
    return paths


@pytest.fixture
def grader(tmp_path: Path) -> Iterator[Running]:
    """A separate service, since its dates are moved. Promotions wait for a person."""
    if chromium() is None:
        pytest.skip(WITHOUT_BROWSER)
    settings = {"RIPELINE_STATE_DIR": str(tmp_path), "RIPELINE_PROMOTE": "person"}
    with running_everything(settings) as running:
        yield running


@pytest.fixture
def api(grader: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=grader.api_url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(
    params=[(1280, "mouse"), (1280, "keyboard"), (390, "finger"), (390, "keyboard")], ids=str
)
def hands(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Hands]:
    width, kind = request.param
    context = browser.new_context(
        color_scheme="light",
        viewport={"width": width, "height": 900},
        has_touch=width < PHONE,
        reduced_motion="reduce",
        timezone_id="UTC",
    )
    yield Hands(context.new_page(), kind)
    context.close()


def test_day(
    hands: Hands, grader: Running, api: httpx.Client, trays: list[Path], tmp_path: Path
) -> None:
    page, first, story = hands.page, served(api), f"day-{hands.kind}"
    learned = photos_that_are_learned(api, trays)
    open_page(page, grader.ui_url, "inspections")
    open_lot(hands)
    url = f"/inspections/{page.url.partition('inspection=')[2]}"
    add(hands, trays)
    graded = api.get(url).json()
    if min(graded["counts"]["rotten"], graded["counts"]["fresh"]) < PHOTOS:
        pytest.skip("the default model does not tell sound from rotten on the drawn trays")
    look(page, story, "1-graded")

    correct_two(hands, api, url, learned)
    page.reload()
    corrected = api.get(url).json()
    assert corrected["counts"]["rotten"] == graded["counts"]["rotten"] + 2
    assert corrected["verdict"]["decision"] == "reject"
    expect(page.locator(".st-key-verdict")).to_contain_text(corrected["verdict"]["message"])
    look(page, story, "2-corrected")
    assert_report_is_right(hands, api, url)

    a_day_passes(tmp_path)
    find_again(hands, grader, datetime.fromisoformat(api.get(url).json()["created_at"]))
    look(page, story, "3-found-tomorrow")
    hands.press(page.get_by_role("button", name="Open", exact=True).filter(visible=True).last)
    expect(page.locator(".st-key-verdict")).to_contain_text(corrected["verdict"]["message"])

    go(hands, "Retrain", "retrain")
    second = retrain(page, api, hands.press, "waits for you")
    assert served(api) == first
    look(page, story, "4-retrained")
    go(hands, "Model report", "model_report")
    try_both(hands, trays)
    look(page, story, "5-tried")
    go(hands, "Retrain", "retrain")
    answer(hands, "Put it in use", "Put in use")
    wait_until_served(api, second)
    expect(page.get_by_text("and a person put it in use")).to_be_visible()
    look(page, story, "6-in-use")
    answer(hands, "Roll back", "Roll back")
    wait_until_served(api, first)
    expect(page.get_by_role("button", name="Put it in use")).to_be_visible()
    no_traceback(page)


def photos_that_are_learned(api: httpx.Client, trays: list[Path]) -> set[int]:
    """The numbers that those photos have in the inspection."""
    learned = set()
    for number, tray in enumerate(trays, start=1):
        answer = api.post("/predict?instances=true", files={"file": tray.read_bytes()}).json()
        if is_learned(api, answer["prediction_id"]):
            learned.add(number)
    return learned


def go(hands: Hands, title: str, address: str) -> None:
    """Go to another page through the menu."""
    if is_phone(hands.page):
        hands.press(hands.page.get_by_test_id("stExpandSidebarButton"))
    hands.press(hands.page.get_by_role("link", name=title, exact=True))
    wait_until_drawn(hands.page, address)


def open_lot(hands: Hands) -> None:
    form = hands.page.get_by_test_id("stForm")
    hands.write(form.get_by_label("Lot", exact=True), LOT)
    hands.write(form.get_by_label("Supplier"), SUPPLIER)
    hands.press(form.get_by_role("button", name="Open the inspection"))
    expect_title(hands.page, f"Lot {LOT}")
    quiet(hands.page)


def give_files(hands: Hands, files: list[Path]) -> None:
    zone = hands.page.get_by_test_id("stFileUploader")
    hands.give(zone.get_by_role("button", name="Upload", exact=True), files)


def add(hands: Hands, trays: list[Path]) -> None:
    """Add the photos; where they look alike, say that the fruits are different ones."""
    page = hands.page
    give_files(hands, trays)
    hands.press(page.get_by_role("button", name=f"Add {len(trays)} files"))
    expect(page.get_by_text(f"{len(trays)} photos added")).to_be_visible()
    quiet(page)
    asked = page.get_by_role("button", name="No, other fruits")
    for left in range(asked.count(), 0, -1):
        hands.press(asked.first)
        expect(asked).to_have_count(left - 1)
        quiet(page)


def correct_two(hands: Hands, api: httpx.Client, url: str, learned: set[int]) -> None:
    """Correct two fruits that the grader takes for fresh to rotten, in photos that are learned. The
    first pages have the worst ones."""
    page = hands.page
    numbers = {one["id"]: one["number"] for one in photos_of(api, url)}
    total = api.get(f"{url}/fruits").json()["total"]
    for place, offset in enumerate(range(0, total, FRUITS_ON_A_PAGE), start=1):
        shown = {"offset": offset, "limit": FRUITS_ON_A_PAGE}
        fresh = [
            (numbers[one["photo_id"]], one["number"])
            for one in api.get(f"{url}/fruits", params=shown).json()["fruits"]
            if one["level"] == "fresh" and numbers[one["photo_id"]] in learned
        ]
        if len(fresh) >= 2:
            hands.press(
                page.get_by_role("navigation", name="Pagination").get_by_label(f"Page {place}")
            )
            break
    quiet(page)
    for photo, number in fresh[:2]:
        fruit = page.locator(f".st-key-lot-fruit-{photo}-{number}").get_by_role("button")
        hands.press(fruit)
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("What is it?")
        quiet(page)
        hands.press(dialog.get_by_role("button", name="Rotten"))
        expect(dialog).to_have_count(0)
        quiet(page)


def photos_of(api: httpx.Client, url: str) -> list[dict[str, Any]]:
    photos: list[dict[str, Any]] = api.get(f"{url}/photos").json()["photos"]
    return photos


def assert_report_is_right(hands: Hands, api: httpx.Client, url: str) -> None:
    """Check that PDF and workbook, read by libraries, agree with the API on each fruit."""
    page, lot = hands.page, api.get(url).json()
    pages = pypdf.PdfReader(io.BytesIO(hands.download(report_button(page, "pdf")))).pages
    text = " ".join(" ".join(one.extract_text() for one in pages).split())
    for part in (LOT, SUPPLIER, lot["verdict"]["message"]):
        assert part in text
    assert sum(len(one.images) for one in pages) >= PHOTOS

    book = openpyxl.load_workbook(io.BytesIO(hands.download(report_button(page, "xlsx"))))
    summary = {str(row[0]): row[1] for row in book["Inspection"].values}
    assert (summary["Verdict"], summary["What it means"]) == ("Reject", lot["verdict"]["message"])
    for level, count in lot["counts"].items():
        if level in LEVELS:
            assert summary[LEVELS[level]] == count
    fruits = sorted(
        (photo["number"], fruit["number"], LEVELS[fruit["level"]], fruit["said"] is not None)
        for photo in photos_of(api, url)
        for fruit in photo["fruits"]
    )
    _, *rows = book["Fruits"].values
    assert sorted((*row[:3], row[4] == "a person") for row in rows) == fruits


def report_button(page: Page, kind: str) -> Locator:
    return page.locator(f".st-key-report_{kind}").get_by_role("button")


def a_day_passes(state: Path) -> None:
    """Make everything in the catalog a day older."""
    database = Database(f"sqlite:///{state / 'catalog.db'}")
    try:
        with database.session() as session:
            for table in Base.metadata.sorted_tables:
                times = [one for one in table.columns if isinstance(one.type, UtcDateTime)]
                earlier = {one: func.strftime("%Y-%m-%d %H:%M:%f", one, "-1 day") for one in times}
                if earlier:
                    session.execute(update(table).values(earlier))
    finally:
        database.close()


def find_again(hands: Hands, grader: Running, opened: datetime) -> None:
    """The next morning, find it among yesterday's inspections by a part of the supplier's name."""
    page = hands.page
    today = datetime.now(opened.tzinfo)
    assert opened < today - timedelta(hours=23)
    open_page(page, grader.ui_url, "inspections")
    hands.write(page.get_by_label("Find by lot or supplier"), "lindau")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 inspection", exact=True)).to_be_visible()
    quiet(page)
    for end in ("start", "end"):
        field = page.get_by_test_id("stDateInput").locator(f'[data-range-field="{end}"]')
        hands.write(field.locator('[data-type="year"]'), f"{opened:%Y%m%d}")
    page.keyboard.press("Escape")
    quiet(page)
    expect(page.get_by_text("1 inspection", exact=True)).to_be_visible()
    expect(page.get_by_text(f"opened {opened.day} {opened:%b %Y}")).to_be_visible()


def try_both(hands: Hands, trays: list[Path]) -> None:
    """Grade photos with the version in use and with the waiting one."""
    page = hands.page
    parts = page.get_by_role("radiogroup", name="Part")
    hands.pick(parts, "Compare")
    quiet(page)
    give_files(hands, trays[:3])
    hands.press(page.get_by_role("button", name="Grade 3 files by both"))
    graded = page.get_by_test_id("stMetric").filter(has_text="Graded by both")
    expect(graded.get_by_test_id("stMetricValue")).to_have_text("3")
    quiet(page)


def answer(hands: Hands, button: str, confirmed: str) -> None:
    """Press a button that asks for confirmation, and confirm."""
    hands.press(hands.page.get_by_role("button", name=button, exact=True))
    dialog = hands.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    quiet(hands.page)
    hands.press(dialog.get_by_role("button", name=confirmed, exact=True))
    expect(dialog).to_have_count(0)
