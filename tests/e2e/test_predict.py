"""A person grades a photo: real processes, real browser."""

from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.e2e.pages import ARTEFACTS, PATIENCE_MS, choose_files, expect_title, quiet
from tests.processes import Running
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import ANSWER_SECONDS


def test_uploaded_photo_is_graded(page: Page, running: Running, tmp_path: Path) -> None:
    photo = tmp_path / "orange.jpg"
    photo.write_bytes(encode(draw_fruit("freshoranges", seed=4, size=320), "JPEG"))
    answer = httpx.post(
        f"{running.api_url}/predict",
        files={"file": photo.read_bytes()},
        timeout=ANSWER_SECONDS,
        trust_env=False,
    ).json()
    before = httpx.get(f"{running.api_url}/health", trust_env=False).json()["prediction_count"]

    page.set_viewport_size({"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(running.ui_url)
    expect_title(page, "Is it fresh?")
    choose_files(page, photo)
    card = page.locator(".st-key-prediction")
    grade = card.get_by_role("heading", level=2)
    expect(grade).to_be_visible()

    expect(card).to_contain_text(answer["interpretation"])
    chart = page.locator(".st-key-probabilities")
    for fruit in ("apple", "banana", "orange"):
        for freshness in ("Fresh", "Rotten"):
            expect(chart.get_by_text(f"{freshness} {fruit}", exact=True)).to_be_visible()
    health = httpx.get(f"{running.api_url}/health", trust_env=False).json()
    assert health["prediction_count"] == before + 1
    # The grade and the buttons to answer it need no scrolling. They move down once the photo is
    # there.
    expect(card.get_by_role("img").first).to_be_visible()
    quiet(page)
    expect(grade).to_be_in_viewport(ratio=1)
    expect(card.get_by_role("button", name="Yes, it is right")).to_be_in_viewport(ratio=1)
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "predict.png")
    # On a phone the photo is between the two.
    page.set_viewport_size({"width": 390, "height": 800})
    expect(grade).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1280, "height": 800})

    card.get_by_text("This call as code").click()
    card.get_by_role("tab", name="JavaScript").click()
    code = card.locator("code.language-javascript").inner_text()
    _assert_script_grades(page, code, running.api_url, photo, answer)


def _assert_script_grades(
    page: Page, code: str, api_url: str, photo: Path, answer: dict[str, Any]
) -> None:
    """Check that the script grades, in a page with a file input at the API's own address."""
    page.goto(f"{api_url}/docs")
    page.evaluate("document.body.innerHTML = '<input type=file>'")
    page.locator("input").set_input_files(photo)
    graded = page.evaluate(f"async () => {{ {code}\nreturn [predicted_class, confidence]; }}")
    assert graded == [answer["predicted_class"], answer["confidence"]]


def test_file_that_is_not_a_photo_is_explained(
    page: Page, running: Running, tmp_path: Path
) -> None:
    text_file = tmp_path / "words.jpg"
    text_file.write_text("not a photograph")
    page.set_default_timeout(PATIENCE_MS)
    page.goto(running.ui_url)
    choose_files(page, text_file)
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("This photo cannot be graded")
    expect(alert).to_contain_text("The file is text, which this service does not read")
