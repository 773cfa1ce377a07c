"""The name and the note of a version, in the Model report and wherever versions are chosen."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi, problem
from tests.ui.fake_insights import CHAMPION
from tests.ui.fake_report import PREVIOUS, details, script, version

PATH = f"/models/{CHAMPION}"
NAME = "Summer *apples*"


@pytest.fixture(autouse=True)
def scripted(api: FakeApi) -> None:
    script(api)
    api.answers["/models"] = Answer(
        {
            "champion": CHAMPION,
            "rollback_to": PREVIOUS,
            "models": [version(CHAMPION) | {"name": NAME}, version(PREVIOUS, "retired")],
        }
    )


def save(page: AppTest, name: str, note: str) -> AppTest:
    page.text_input[0].set_value(name)
    page.text_area[0].set_value(note)
    [button] = [one for one in page.button if one.label == "Save"]
    return button.click().run()


def test_it_is_saved_and_shown(open_page: OpenPage, api: FakeApi) -> None:
    page = open_page("model_report")
    assert page.selectbox[0].options[0] == f"{NAME} ({CHAMPION}), in use now"
    written: dict[str, Any] = details({}) | {"name": "New", "note": "First _line_.\nSecond."}

    def answer(body: bytes) -> Answer:
        if body:
            api.answers[PATH] = Answer(written)
        return Answer(written if body else details({}))

    api.answers[PATH] = answer
    page = save(page, "New", "First _line_.\nSecond.")

    assert not page.exception
    assert [json.loads(body) for body in api.sent_to(PATH) if body] == [
        {"name": "New", "note": "First _line_.\nSecond."}
    ]
    shown = [element.value for element in page.markdown]
    assert "First \\_line\\_." in shown
    assert "Second." in shown
    assert page.text_input[0].value == "New"


def test_refusal_is_explained(open_page: OpenPage, api: FakeApi) -> None:
    page = open_page("model_report")
    api.answers[PATH] = lambda body: problem(422, "Too long.") if body else Answer(details({}))
    page = save(page, "New", "")

    assert "The name and the note were not saved" in page.error[0].value
    assert "Too long." in page.error[0].value


def test_versions_to_promote_have_their_names(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/models"] = Answer(
        {
            "champion": CHAMPION,
            "rollback_to": PREVIOUS,
            "models": [version(CHAMPION), version(PREVIOUS, "retired") | {"name": NAME}],
        }
    )
    page = open_page("model_report")
    control: Any = page.segmented_control(key="report_part")
    page = control.set_value("Compare").run()

    assert page.selectbox(key="compared_version").options == [f"{NAME} ({PREVIOUS})"]
