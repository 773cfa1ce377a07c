"""Text from outside never reaches a field that Streamlit renders as Markdown or HTML. The browser
test, tests/e2e/test_hostile_names.py, sees only what is drawn at the moment; this one reads every
field of every element.
"""

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Node

from tests.ui.conftest import OpenPage
from tests.ui.fake_api import FakeApi
from tests.ui.fake_tray import TRAY
from tests.ui.fake_tray import script as script_tray
from tests.ui.hostile_text import EVIL, script

IMAGE = "![x](http"
# Fields that Streamlit shows literally.
PLAIN = {
    "options",
    "alt",
    "url",
    "id",
    "placeholder",
    "data",
    "raw_value",
    "spec",
    "code_text",
    "default",
}
# By page: the control that chooses a part, and the parts.
PARTS = {
    "training_data": ("training_section", ["Gallery", "Review queue"]),
    "dataset_insights": (
        "insight",
        ["Balance", "Light and size", "Augmentation", "Map", "Copies"],
    ),
    "model_report": (
        "report_part",
        [
            "Classes",
            "Where to draw the line",
            "Confidence",
            "Training",
            "Mistakes",
            "Networks",
            "Compare",
        ],
    ),
}


def nodes(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Block):
        for child in node.children.values():
            yield from nodes(child)


def texts(message: Message) -> Iterator[tuple[str, str]]:
    """Each text in the message and its submessages, with the name of its field."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        for item in values:
            if field.type == FieldDescriptor.TYPE_STRING:
                yield field.name, item
            elif isinstance(item, Message):
                yield from texts(item)


def raw_texts(page: AppTest) -> list[tuple[str, str]]:
    assert not page.exception
    protos = [getattr(node, "proto", None) for node in nodes(page._tree)]
    return [
        (name, text)
        for proto in protos
        if isinstance(proto, Message)
        for name, text in texts(proto)
        if IMAGE in text and name not in PLAIN
    ]


@pytest.mark.parametrize("address", PARTS)
def test_parts_of_pages(open_page: OpenPage, api: FakeApi, photo: bytes, address: str) -> None:
    script(api, photo)
    key, parts = PARTS[address]
    page = open_page(address)

    for part in parts:
        page.segmented_control(key=key).set_value(part).run()
        assert raw_texts(page) == [], part


def test_history(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    script(api, photo)
    page = open_page("history")
    assert raw_texts(page) == []
    page.button(key="history_0").click().run()
    assert any(caption.value.startswith("apple.jpg") for caption in page.caption)
    assert raw_texts(page) == []


@pytest.mark.parametrize("tab", ["Versions", "Freshness limits", "Past runs"])
def test_retrain(open_page: OpenPage, api: FakeApi, photo: bytes, tab: str) -> None:
    script(api, photo)
    page = open_page("retrain")
    page.session_state["retrain_tab"] = tab
    page.run()

    assert raw_texts(page) == []


def test_monitoring(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    script(api, photo)

    assert raw_texts(open_page("monitoring")) == []


def test_predict_tray(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    strange = {"fruit": EVIL, "predicted_class": EVIL, "probabilities": {EVIL: 1.0}}
    script_tray(api, [one | strange for one in TRAY])
    page = open_page("predict")
    page.file_uploader[0].set_value([(f"{EVIL}.jpg", photo, "image/jpeg")]).run()
    assert len(page.header) == 1

    for name in ("box-1", "fruit-2", "box-4"):
        page.button(key=name).click().run()
        assert raw_texts(page) == [], name


def test_predict(open_page: OpenPage, api: FakeApi, photo: bytes) -> None:
    script(api, photo)
    page = open_page("predict")
    page.file_uploader[0].set_value([(f"{EVIL}.jpg", photo, "image/jpeg")]).run()

    assert raw_texts(page) == []
