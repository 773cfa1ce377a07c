"""Lets a version grade some photos along with the one in use, before it is put in use itself."""

from functools import partial

import cached_api
import streamlit as st
from api_models import Shadow, ShadowAnswer, ShadowDifference
from errors import ApiError
from formatting import class_label, level_label, percent, pluralize
from history_client import photo_path
from plain_text import as_markdown

from components.messages import run_action, show_action_error, show_error, show_fragment_error

_AREA = "grade_along"
_SHARES = {"One in ten": 0.1, "Half of them": 0.5, "All of them": 1.0}
_PHOTOS = (200, 500, 2000)
_THUMBNAIL_PIXELS = 64
_ENDED = {
    "complete": "It has graded all of its photos.",
    "stopped": "It was stopped.",
    "replaced": "It ended when another version was put in use.",
}


def grade_along(version: str) -> None:
    """The results so far, and the buttons that start and stop it."""
    st.subheader("Let it grade along", anchor=False)
    st.caption(
        "This version grades some of the photos that people send, along with the one in use. "
        "Nobody is shown its grades but you, here: how often the two agree, and where they differ."
    )
    try:
        shadow = cached_api.models().shadow(version)
    except ApiError as error:
        show_error(error, rejected="Its grades cannot be shown")
        return
    show_action_error(_AREA, "That was not possible")
    if shadow.state == "running":
        _running(version)
        return
    _results(shadow)
    st.caption(_ENDED.get(shadow.state, ""))
    _start(version)


# Refresh only while it runs: a refresh would close the lists in the form that starts it.
@st.fragment(run_every="3s")
def _running(version: str) -> None:
    """Reruns the page when it is over."""
    try:
        shadow = cached_api.models().shadow(version)
    except ApiError as error:
        show_fragment_error(error, rejected="Its grades cannot be shown")
        return
    if shadow.state != "running":
        st.rerun()
    done, photos = shadow.graded + shadow.failed, shadow.photos or 1
    st.progress(
        min(done / photos, 1.0), text=f"{done:,} of {pluralize(photos, 'photo')} graded along"
    )
    st.button("Stop grading along", icon=":material/stop:", on_click=_on_stop, args=(version,))
    _results(shadow)


def _start(version: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        share = st.selectbox("Of the photos", list(_SHARES), width=180)
        photos = st.selectbox(
            "Until it has graded", _PHOTOS, index=1, format_func="{:,} photos".format, width=180
        )
        st.button(
            "Let it grade along",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_on_start,
            args=(version, _SHARES[share], photos),
        )


def _on_start(version: str, share: float, photos: int) -> None:
    run_action(_AREA, partial(cached_api.models().start_shadow, version, share, photos))


def _on_stop(version: str) -> None:
    run_action(_AREA, partial(cached_api.models().stop_shadow, version))


def _results(shadow: Shadow) -> None:
    if not (shadow.graded or shadow.failed):
        return
    totals = {
        "Graded by both": shadow.graded,
        "The same": shadow.same,
        "Different": shadow.different,
    }
    if shadow.failed:
        totals["Could not be graded"] = shadow.failed
    with st.container(horizontal=True, gap="medium"):
        for name, number in totals.items():
            st.metric(name, f"{number:,}", width="content")
    if shadow.agreement is not None:
        said = (
            f"The two grade {percent(shadow.agreement)} of the photos the same; of all that come, "
            f"likely {percent(shadow.low)} to {percent(shadow.high)}."
        )
        if shadow.below_min:
            st.warning(f"{said} That is less than was asked for.", icon=":material/warning:")
        else:
            st.caption(said)
    for row in shadow.differences:
        _difference(row)


def _difference(row: ShadowDifference) -> None:
    paths = [photo_path(prediction_id) for prediction_id in row.examples]
    words = f"{answer_label(row.in_use)} by the version in use, {answer_label(row.shadow).lower()}"
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{as_markdown(words)}** by this one: {pluralize(row.count, 'photo')}")
        with st.container(horizontal=True, gap="small"):
            for thumbnail in cached_api.thumbnails().get(paths):
                if thumbnail:
                    st.image(thumbnail, width=_THUMBNAIL_PIXELS, alt=words)


def answer_label(answer: ShadowAnswer) -> str:
    """What a version said: "Fresh apple, past its best", or "Not known"."""
    if answer.predicted_class is None:
        return "Not known"
    name = class_label(answer.predicted_class)
    if answer.freshness_level is None or name.lower().startswith(answer.freshness_level):
        return name
    return f"{name}, {level_label(answer.freshness_level).lower()}"
