"""Fixtures of the app's tests: a fake API, and pages that talk to it."""

import gc
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image, ImageDraw
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from tests.ui.fake_api import FakeApi
from tests.ui.query_contract import unknown_parameters
from tests.waiting import ANSWER_SECONDS

APP = Path(__file__).parents[2] / "ui" / "navigation.py"

OpenPage = Callable[[str], AppTest]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    fake = FakeApi()
    yield fake
    fake.stop()
    assert not unknown_parameters(path for path, _ in fake.received)


@pytest.fixture
def open_page(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """Opens a page of the whole app, as the browser would, against the fake API."""
    monkeypatch.setenv("RIPELINE_API_URL", api.address)

    def navigate(page: str) -> AppTest:
        app = AppTest.from_file(APP, default_timeout=ANSWER_SECONDS).run()
        return app if page == "predict" else app.switch_page(f"app_pages/{page}.py").run()

    yield navigate
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def _typed_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let AppTest select a typed option that is not in the list, as a browser can."""
    original: Callable[[Selectbox[str]], int | None] = vars(Selectbox)["index"].fget

    def index(box: Selectbox[str]) -> int | None:
        if isinstance(box.value, str) and (text := box.format_func(box.value)) not in box.options:
            box.options.append(text)
        return original(box)

    monkeypatch.setattr(Selectbox, "index", property(index))


@pytest.fixture(scope="session", autouse=True)
def _component_scan_is_cached() -> Iterator[None]:
    """Without this, Streamlit reads the metadata of every installed package for each opened
    page."""
    with pytest.MonkeyPatch.context() as patched:
        scan = cache(manifest_scanner.scan_component_manifests)
        patched.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(scope="module", autouse=True)
def _older_objects_are_not_collected() -> None:
    """Exempt existing objects. Streamlit collects garbage after each run of a page; with
    TensorFlow's objects from earlier tests in this process, that would take most of the time."""
    gc.collect()  # Garbage that exists now would stay.
    gc.freeze()


@pytest.fixture
def photo() -> bytes:
    """A drawn apple, as a JPEG file."""
    image = Image.new("RGB", (120, 90), "white")
    ImageDraw.Draw(image).ellipse((30, 15, 90, 75), fill="yellowgreen")
    file = BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()
