"""A page's live camera: frames are graded as they arrive, and one tap keeps a photo.

The browser sends a frame once it has the answer to the previous one. The app asks the API for its
grade, so that the API's key stays on the server. A frame that is not kept is not recorded anywhere.
"""

from base64 import b64decode
from binascii import Error as NotBase64Error
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import cached_api
import streamlit as st
from errors import ApiError
from photos import Photo
from timezone import local

from components.live.answers import LiveAnswer, answer_frame

KEY = "live_camera"
_HERE = Path(__file__).parent
_ANSWER, _KEPT, _IS_NEW = "live_answer", "live_kept", "live_kept_new"

_camera = st.components.v2.component(
    "live_camera",
    html=(_HERE / "camera.html").read_text("utf-8"),
    css=(_HERE / "camera.css").read_text("utf-8"),
    js=(_HERE / "camera.js").read_text("utf-8"),
)


@st.fragment
def live_camera(keep: Callable[[Photo], str]) -> None:
    """The camera with its buttons. `keep` receives a photo, and returns its outcome as plain text
    or raises ApiError. The whole page is rerun after that."""
    _camera(
        key=KEY,
        data={"answer": st.session_state.get(_ANSWER), "kept": st.session_state.get(_KEPT)},
        on_frame_change=_grade,
        on_keep_change=partial(_keep, keep),
    )
    # After the camera, so that the browser gets the answer at once.
    if st.session_state.pop(_IS_NEW, False):
        st.rerun()


def _grade() -> None:
    """Grade the frame that the browser has just sent."""
    if (sent := _sent("frame")) is None:
        return
    number, data = sent
    try:
        prediction = cached_api.api().predict_frame(data, instances=cached_api.finds_fruits())
        answer = answer_frame(number, prediction)
    except ApiError as error:
        answer = LiveAnswer(number=number, problem=_in_a_line(error))
    st.session_state[_ANSWER] = answer


def _keep(keep: Callable[[Photo], str]) -> None:
    if (sent := _sent("keep")) is None:
        return
    number, data = sent
    taken = local(datetime.now(UTC))
    try:
        said = keep(Photo(f"camera-{taken:%Y%m%d-%H%M%S}.jpg", data))
    except ApiError as error:
        st.session_state[_KEPT] = {"number": number, "problem": _in_a_line(error)}
        return
    st.session_state[_KEPT] = {"number": number, "said": said}
    st.session_state[_IS_NEW] = True


def _sent(event: str) -> tuple[int, bytes] | None:
    """The number and the JPEG of the frame that the browser sent with this event."""
    value: Any = st.session_state[KEY].get(event)
    try:
        return int(value["number"]), b64decode(value["image"], validate=True)
    except (TypeError, KeyError, ValueError, NotBase64Error):  # Not sent by our script.
        return None


def _in_a_line(error: ApiError) -> str:
    # Without Markdown: the browser shows plain text.
    return f"{error.title}. {error.detail}".replace("`", "")
