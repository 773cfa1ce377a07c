"""The live camera of an inspection, in a browser with a camera that films drawn trays."""

from threading import Event

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import ARGUMENTS, chromium
from tests.e2e.hands import Hands
from tests.e2e.live import FILMED_PIXELS, FRAMES, WHOLE_FRAMES, button, live, open_camera

# Fixtures.
from tests.e2e.live import allowed as allowed  # noqa: PLC0414
from tests.e2e.live import fake_api as fake_api  # noqa: PLC0414
from tests.e2e.live import fake_url as fake_url  # noqa: PLC0414
from tests.e2e.live import film as film  # noqa: PLC0414
from tests.e2e.live import filming as filming  # noqa: PLC0414
from tests.e2e.live import page as page  # noqa: PLC0414
from tests.e2e.live import shared_api as shared_api  # noqa: PLC0414
from tests.e2e.pages import SCHEMES, is_phone, look, no_traceback, quiet
from tests.e2e.test_accessibility import faults
from tests.processes import Running
from tests.ui import fake_lots, fake_tray
from tests.ui.fake_api import OUTAGE, PREDICTION, Answer, FakeApi, problem
from tests.ui.hostile_text import EVIL
from tests.waiting import PATIENCE_SECONDS, until

LEAST_TARGET_PIXELS = 44


@pytest.mark.parametrize("width", [1280, 390])
def test_lot_is_graded_live_and_a_photo_kept(
    filming: Browser, running: Running, width: int
) -> None:
    context = filming.new_context(
        permissions=["camera"],
        viewport={"width": width, "height": 900},
        has_touch=width < 500,
        reduced_motion="reduce",
    )
    page = context.new_page()
    hands = Hands(page, "finger" if is_phone(page) else "keyboard")
    with httpx.Client(base_url=running.api_url, timeout=60, trust_env=False) as api:
        before = api.get("/predictions").json()["total"]
        lot = api.post("/inspections", json={"lot": f"Live {width}"}).json()
        page.goto(f"{running.ui_url}/inspections?inspection={lot['id']}")
        sources = page.get_by_role("radiogroup", name="Where the photos come from")
        hands.pick(sources, "Live camera")
        hands.press(button(page, "Start the camera"))
        box = live(page).locator(".box")
        expect(box.first).to_be_visible()
        expect(live(page).locator(".headline")).to_contain_text("fruit")
        expect(live(page).locator(".detail")).to_contain_text("The worst:")
        for name in ("Keep this photo", "Pause", "Stop"):
            size = button(page, name).bounding_box()
            assert size is not None
            assert min(size["width"], size["height"]) >= LEAST_TARGET_PIXELS
        graded = _frames_asked(api)

        hands.press(button(page, "Pause"))
        expect(live(page).locator(".still")).to_be_visible()
        look(page, "live", "paused")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            quiet(page)
            assert not list(faults(page))
        hands.press(button(page, "Keep this photo"))
        expect(live(page).get_by_role("status")).to_contain_text("Photo 1 added")
        expect(page.locator("[class*=st-key-lot-fruit-] button").first).to_be_visible()
        assert graded > 0
        [photo] = api.get(f"/inspections/{lot['id']}/photos").json()["photos"]
        assert (photo["width"], photo["height"]) == FILMED_PIXELS
        assert len(photo["fruits"]) == box.count()
        # The camera can still be resumed, and no other frame was kept.
        hands.press(button(page, "Resume"))
        expect(live(page).locator(".still")).to_be_hidden()
        hands.press(button(page, "Stop"))
        expect(button(page, "Start the camera")).to_be_focused()
        assert api.get("/predictions").json()["total"] == before + 1
        no_traceback(page)
    context.close()


def _frames_asked(api: httpx.Client) -> float:
    """How many requests to /predict the API has answered."""
    lines = [one for one in api.get("/metrics").text.splitlines() if 'route="/predict"' in one]
    counts = [one for one in lines if one.startswith("ripeline_requests_total")]
    return sum(float(one.split()[-1]) for one in counts)


def test_worst_fruit_is_named_and_boxes_have_signs(page: Page, fake_url: str) -> None:
    open_camera(page, fake_url)
    button(page, "Start the camera").click()
    boxes = live(page).locator(".box")
    expect(boxes).to_have_count(len(fake_tray.TRAY))
    expect(boxes).to_have_text(["✕ worst", "!", "✓", "?"])
    # Each is awaited, since the next frame replaces them.
    for number, style in enumerate(["double", "dashed", "solid", "dotted"]):
        expect(boxes.nth(number)).to_have_css("border-top-style", style)
    expect(live(page).locator(".headline")).to_have_text(
        "4 fruits: 1 rotten, 1 past its best, 1 fresh, 1 not known"
    )
    expect(live(page).locator(".detail")).to_contain_text("The worst: rotten apple, bottom right")


def test_class_names_are_text(page: Page, fake_url: str, fake_api: FakeApi) -> None:
    evil = fake_tray.instance((0, 0, 30, 30), fruit=EVIL)
    fake_api.answers[FRAMES] = Answer(fake_tray.tray_answer([evil]))
    open_camera(page, fake_url)
    button(page, "Start the camera").click()
    expect(live(page).locator(".detail")).to_contain_text("<script>evil()</script>")
    expect(live(page).locator("script, a, img")).to_have_count(0)


def test_outage_clears_the_boxes_and_ends_by_itself(
    page: Page, fake_url: str, fake_api: FakeApi
) -> None:
    open_camera(page, fake_url)
    button(page, "Start the camera").click()
    boxes = live(page).locator(".box")
    expect(boxes.first).to_be_visible()
    scripted = fake_api.answers[FRAMES]
    fake_api.answers[FRAMES] = OUTAGE
    expect(live(page).get_by_role("status")).to_contain_text("The grading service is in trouble")
    expect(boxes).to_have_count(0)
    expect(button(page, "Keep this photo")).to_have_attribute("aria-disabled", "true")
    fake_api.answers[FRAMES] = scripted
    expect(boxes.first).to_be_visible()
    expect(live(page).get_by_role("status")).to_have_text("")


def test_model_without_a_detector_grades_the_whole_picture(
    page: Page, fake_url: str, fake_api: FakeApi
) -> None:
    fake_api.answers[FRAMES] = fake_tray.NO_DETECTOR
    fake_api.answers[WHOLE_FRAMES] = Answer(PREDICTION)
    open_camera(page, fake_url)
    button(page, "Start the camera").click()
    expect(live(page).locator(".headline")).to_have_text("✓ Fresh apple")
    expect(live(page).locator(".detail")).to_contain_text("one fruit at a time")


@pytest.mark.parametrize("width", [1280, 390])
def test_predict_page_grades_live_and_records_what_is_kept(
    page: Page, fake_url: str, fake_api: FakeApi, width: int
) -> None:
    """With a model that cannot find each fruit, which inspections cannot use."""
    fake_api.answers |= {
        FRAMES: fake_tray.NO_DETECTOR,
        WHOLE_FRAMES: Answer(PREDICTION),
        "/predict?instances=true": fake_tray.NO_DETECTOR,
        "/predict": Answer(PREDICTION),
    }
    fake_api.received.clear()
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(fake_url)
    page.get_by_role("radio", name="Live camera", exact=True).click()
    expect(button(page, "Start the camera")).to_be_visible()
    quiet(page)
    choices = page.get_by_role("radiogroup", name="Where the photo comes from").get_by_role("radio")
    places = [place for one in choices.all() if (place := one.bounding_box())]
    rows = len({round(place["y"]) for place in places})
    assert (len(places), rows) == (4, 2 if is_phone(page) else 1)
    if is_phone(page):
        assert min(place["height"] for place in places) >= LEAST_TARGET_PIXELS
        assert len({round(place["width"]) for place in places}) == 1
    button(page, "Start the camera").click()
    expect(live(page).locator(".headline")).to_have_text("✓ Fresh apple")
    assert not [path for path, _ in fake_api.received if path == "/predict"]
    button(page, "Keep this photo").click()
    card = page.locator(".st-key-prediction")
    expect(card.get_by_role("heading", level=2)).to_have_text("Fresh apple")
    expect(card.get_by_text("Is this right?")).to_be_visible()
    expect(live(page).get_by_role("status")).to_have_text("Kept: its grade is below.")
    [sent] = [body for path, body in fake_api.received if path == "/predict"]
    assert b'filename="camera-' in sent
    # The camera continues.
    expect(live(page).locator(".headline")).to_have_text("✓ Fresh apple")
    button(page, "Pause").click()
    look(page, "live-predict", "kept")


def test_camera_pauses_automatically_and_resumes_on_a_tap(
    page: Page, fake_url: str, fake_api: FakeApi
) -> None:
    """While the page is out of sight, and after minutes without a kept photo."""
    page.add_init_script(
        "const after = window.setTimeout;"
        "window.setTimeout = (act, wait, ...more) => wait === 300000"
        " ? (window.idle = act, 0) : after(act, wait, ...more);"
    )
    open_camera(page, fake_url)
    button(page, "Start the camera").click()
    status, boxes = live(page).get_by_role("status"), live(page).locator(".box")
    for rest, why in (
        ("window.idle()", "Paused, as no photo was kept for five minutes."),
        (
            "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
            "document.dispatchEvent(new Event('visibilitychange'));"
            "delete document.hidden;"
            "document.dispatchEvent(new Event('visibilitychange'));",
            "Paused while this page was not in view.",
        ),
    ):
        expect(boxes.first).to_be_visible()
        page.evaluate(rest)
        expect(status).to_have_text(why)
        expect(live(page).locator(".still")).to_be_visible()
        button(page, "Resume").click()
        expect(status).to_have_text("")
        expect(live(page).locator(".still")).to_be_hidden()
        fake_api.received.clear()
        expect(boxes.first).to_be_visible()
        until(lambda: any(path == FRAMES for path, _ in fake_api.received))


def test_pause_keeps_the_shown_picture(page: Page, fake_url: str, fake_api: FakeApi) -> None:
    """A frame sent before the pause gets no answer for seconds, and then a late one."""
    page.add_init_script(
        "const after = window.setTimeout, never = window.clearTimeout;"
        "window.setTimeout = (act, wait, ...more) => wait === 4000"
        " ? (window.seconds = act, -1) : after(act, wait, ...more);"
        "window.clearTimeout = id => id === -1 ? (window.seconds = () => {}) : never(id);"
    )
    open_camera(page, fake_url)
    button(page, "Start the camera").click()
    headline = live(page).locator(".headline")
    expect(headline).to_contain_text("4 fruits")
    asked, answered = Event(), Event()

    def hold(_body: bytes) -> Answer:
        asked.set()
        answered.wait(PATIENCE_SECONDS)
        return Answer(fake_tray.tray_answer(fake_tray.TRAY[:1]))

    fake_api.answers[FRAMES] = hold
    try:
        until(asked.is_set)
        button(page, "Pause").click()
        page.evaluate("window.seconds()")
        expect(live(page).locator(".still")).to_be_visible()
    finally:
        answered.set()
    quiet(page)
    expect(headline).to_contain_text("4 fruits")
    button(page, "Resume").click()
    expect(headline).not_to_contain_text("4 fruits")


def test_refused_photo_says_why(page: Page, fake_url: str, fake_api: FakeApi) -> None:
    listed = fake_api.answers[fake_lots.PHOTOS]
    assert isinstance(listed, Answer)
    full = problem(507, "The disk is full: free some space.")
    fake_api.answers[fake_lots.PHOTOS] = lambda body: full if body else listed
    open_camera(page, fake_url)
    button(page, "Start the camera").click()
    expect(live(page).locator(".box").first).to_be_visible()
    button(page, "Keep this photo").click()
    expect(live(page).get_by_role("status")).to_contain_text("The disk is full")
    [sent] = fake_api.sent_to(fake_lots.PHOTOS)[-1:]
    assert b'filename="camera-' in sent


def test_camera_ends_with_its_page(page: Page, fake_url: str) -> None:
    page.add_init_script(
        "const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
        "navigator.mediaDevices.getUserMedia = async what => (window.asked = await ask(what));"
    )
    open_camera(page, fake_url)
    button(page, "Start the camera").click()
    expect(live(page).locator(".box").first).to_be_visible()
    page.get_by_role("radio", name="Choose photos", exact=True).click()
    expect(live(page)).to_have_count(0)
    page.wait_for_function("window.asked.getTracks().every(one => one.readyState === 'ended')")


def test_denied_camera_says_how_to_allow_it(filming: Browser, fake_url: str) -> None:
    context = filming.new_context()
    context.grant_permissions([])  # Denies all permissions that are not listed.
    page = context.new_page()
    open_camera(page, fake_url)
    button(page, "Start the camera").click()
    expect(live(page).get_by_role("status")).to_contain_text("Allow it in the browser")
    context.close()


def test_page_that_is_not_secure_says_so(page: Page, fake_url: str) -> None:
    open_camera(page, fake_url.replace("127.0.0.1", "insecure.test"))
    button(page, "Start the camera").click()
    expect(live(page).get_by_role("status")).to_contain_text("Open this page over https")


def test_missing_camera_is_reported(filming: Browser, fake_url: str) -> None:
    plain = filming.browser_type.launch(executable_path=chromium(), args=ARGUMENTS)
    page = plain.new_context(permissions=["camera"]).new_page()
    open_camera(page, fake_url)
    button(page, "Start the camera").click()
    expect(live(page).get_by_role("status")).to_contain_text("No camera was found")
    plain.close()
