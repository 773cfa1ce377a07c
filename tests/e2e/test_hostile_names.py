"""File names, class names and messages of strangers, on every page in a real browser.

They are text: nothing is loaded from elsewhere, and no element of theirs is on the page.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e.pages import PAGES, open_page, quiet, visit
from tests.processes import running_app
from tests.synthetic_images import draw_fruit, encode
from tests.ui import fake_collect, fake_insights, fake_learning
from tests.ui.fake_api import Answer, FakeApi

DESKTOP = ViewportSize(width=1280, height=900)
# The first is the one that made a reviewer's browser load a foreign image.
EVIL = (
    "![x](http://foreign.example/x.png)<img src=http://foreign.example/y.png onerror=evil()>"
    "<script>evil()</script>[in](http://foreign.example) http://foreign.example www.foreign.example"
    " me@foreign.example **evil** $evil$ `evil` :red[evil] :smile: :streamlit: :material_home:"
)
# Fields whose text comes from outside, or may quote such text.
FIELDS = {
    "filename",
    "message",
    "detail",
    "title",
    "interpretation",
    "story",
    "sentence",
    "reason",
    "reasons",
    "description",
    "photograph",
    "file",
    "split",
    "counts",
    "training",
    "latency",
}
# In these, the field of that name is one of a fixed set, or a number.
FIXED = {
    ("images", "split"),
    ("points", "split"),
    ("uploaded_files", "split"),
    ("counts", "split"),
    ("items", "reason"),
    ("", "photograph"),
}
INJECTED = (
    '[src*="foreign"], [href*="foreign"], script:not([src]):has-text("evil"), '
    'strong:text("evil"), em:text("evil"), code:text("evil"), .katex, .stMarkdownColoredText, '
    '[role="img"][aria-label="home icon"]'
)


def hostile(value: Any, parent: str = "", name: str = "") -> Any:
    """The answer with EVIL added to each text of FIELDS."""
    if isinstance(value, dict):
        return {key: hostile(item, name or parent, key) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item, parent, name) for item in value]
    if isinstance(value, str) and name in FIELDS and (parent, name) not in FIXED:
        return f"{value} {EVIL}"
    return value


@pytest.fixture(scope="module")
def photo() -> bytes:
    return encode(draw_fruit("freshapples", 1), "JPEG")


@pytest.fixture(scope="module")
def ui_url(browser: Browser, photo: bytes) -> Iterator[str]:
    api = FakeApi()
    fake_collect.script(api, photo)
    summary, images = api.answers["/dataset/summary"], api.answers["/dataset/images"]
    fake_insights.script(api)
    fake_learning.script(api)
    failed = fake_learning.RUN | {"state": "failed", "verdict": None, "candidate": None}
    api.answers |= {
        "/dataset/summary": summary,
        "/dataset/images": images,
        "/retrain/estimate": Answer(fake_learning.ESTIMATE | {"champion": fake_insights.CHAMPION}),
        "/models": Answer(
            {
                "champion": fake_insights.CHAMPION,
                "rollback_to": fake_insights.PREVIOUS,
                "models": [
                    fake_insights.version(fake_insights.CHAMPION),
                    fake_insights.version(fake_insights.PREVIOUS, "retired"),
                ],
            }
        ),
        "/runs": fake_learning.runs(failed, fake_learning.RUN),
    }
    for path, answer in api.answers.items():
        if isinstance(answer, Answer) and answer.content_type.endswith("json"):
            api.answers[path] = Answer(hostile(json.loads(answer.body)), answer.status)
    # One photo of the gallery and one of the queue cannot be shown: then their names are.
    del api.answers[f"/dataset/images/{fake_collect.IDS[0]}/photograph"]
    del api.answers["/predictions/shoe/photograph"]
    try:
        with running_app(api.address) as url:
            yield url
    finally:
        api.stop()


@pytest.fixture
def page(browser: Browser, ui_url: str) -> Iterator[Page]:
    """A page that fails the test if it asks for anything of another host."""
    page = browser.new_page(viewport=DESKTOP)
    foreign: list[str] = []

    def note(url: str) -> None:
        if not url.startswith((ui_url, ui_url.replace("http", "ws", 1), "data:", "blob:")):
            foreign.append(url)

    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda socket: note(socket.url))
    yield page
    page.close()
    assert foreign == []


def assert_is_text(page: Page) -> None:
    quiet(page)
    assert page.locator(INJECTED).all_inner_texts() == []


def look(page: Page, kind: str, names: tuple[str, ...]) -> None:
    """Choose each of the named parts of the page, and look at it."""
    for name in names:
        if kind == "tab":
            page.get_by_role("tab", name=name).click()
        else:
            page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).first.click()
        assert_is_text(page)


def test_predict(page: Page, ui_url: str, photo: bytes) -> None:
    open_page(page, ui_url, "")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {
            "name": "![x](http:a) :red[evil].jpg",
            "mimeType": "image/jpeg",
            "buffer": photo,
        }
    )
    expect(page.get_by_text("foreign.example/x.png").first).to_be_visible()
    assert_is_text(page)
    page.get_by_role("button", name="Yes, it is right").click()
    expect(page.get_by_text("Noted").first).to_be_visible()
    assert_is_text(page)


def test_training_data(page: Page, ui_url: str) -> None:
    open_page(page, ui_url, "training_data")
    look(page, "part", ("Gallery",))
    expect(page.get_by_text("cannot be shown right now").first).to_contain_text("foreign.example")
    look(page, "part", ("Review queue",))
    expect(page.get_by_text("cannot be shown right now").first).to_contain_text("foreign.example")


def test_retrain(page: Page, ui_url: str) -> None:
    open_page(page, ui_url, "retrain")
    expect(page.get_by_text("The last run failed")).to_be_visible()
    look(page, "tab", ("Versions", "Triggers", "Freshness limits", "Past runs"))


def test_insights(page: Page, ui_url: str) -> None:
    open_page(page, ui_url, "dataset_insights")
    parts = ("Balance", "Light and size", "Augmentation", "Map", "Copies")
    look(page, "part", parts)


def test_model_report(page: Page, ui_url: str) -> None:
    open_page(page, ui_url, "model_report")
    parts = ("Classes", "Confidence", "Training", "Mistakes", "Networks", "Compare")
    look(page, "part", parts)


def test_monitoring(page: Page, ui_url: str) -> None:
    open_page(page, ui_url, "monitoring")
    expect(page.get_by_text("foreign.example").first).to_be_visible()
    assert_is_text(page)


def test_every_page_was_visited(page: Page, ui_url: str) -> None:
    """A new page needs a test here."""
    assert set(PAGES) == {
        "",
        "training_data",
        "retrain",
        "dataset_insights",
        "model_report",
        "monitoring",
    }
    open_page(page, ui_url, "")
    for address, title in list(PAGES.items())[1:]:
        visit(page, title, address)
        assert_is_text(page)
