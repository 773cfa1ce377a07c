"""What is new, and the button that starts a run."""

import cached_api
import state
import streamlit as st
from api_models import Estimate, Run
from charts.retraining import new_photos
from client import Mode
from errors import ApiError
from formatting import (
    class_label,
    describe_left_out,
    describe_skipped,
    mode_label,
    pluralize,
    rough_duration,
)

from components.display import chart
from components.messages import (
    empty_state,
    run_action,
    show_action_error,
    show_fragment_error,
)

_AREA = "retrain"
_MODES: tuple[Mode, ...] = ("fast", "full")


@st.fragment(run_every="5s")
def start_panel(shown: Run | None, champion: str | None) -> None:
    """What is new and the button that starts a run; reruns the page when another run started.

    `shown` and `champion` are the run and the version that the rest of the page shows.
    """
    try:
        newest, estimate = cached_api.api().newest_run(), cached_api.estimate()
    except ApiError as error:
        show_fragment_error(error, rejected="What is new is not available")
        return
    if _has_changed(shown, newest) or estimate.champion != champion:
        st.rerun()
    _show_new(estimate)
    _show_boxed(estimate.boxed_photos)
    _show_left_out(estimate.left_out)
    _show_unreadable(estimate)
    mode = _choose_mode(estimate)
    idle = mode == "fast" and not _has_new(estimate)
    st.button(
        "Retrain",
        type="primary",
        icon=":material/model_training:",
        disabled=idle,
        on_click=_start,
        args=(mode,),
        help="There is nothing new for a quick retraining to learn." if idle else None,
    )
    show_action_error(_AREA, "The retraining does not start")


def _start(mode: Mode) -> None:
    run_action(_AREA, lambda: cached_api.api().start_run(mode))


def _has_changed(shown: Run | None, newest: Run | None) -> bool:
    if shown is None or newest is None:
        return shown is not newest
    return (shown.run_id, shown.state) != (newest.run_id, newest.state)


def _has_new(estimate: Estimate) -> bool:
    return bool(estimate.new or estimate.relabelled or estimate.removed)


def _show_new(estimate: Estimate) -> None:
    if not _has_new(estimate):
        if not estimate.boxed_photos:
            empty_state(
                "done_all",
                "Nothing new to learn",
                f"Version `{estimate.champion}` has learned from all photos. Add some on the "
                "Training data page, or correct a grade on the Predict page.",
            )
        return
    st.subheader("New since the current version", anchor=False)
    st.write(_describe_new(estimate))
    if estimate.new_by_class:
        _by_class(estimate.new_by_class)


def _by_class(counts: dict[str, int]) -> None:
    """Drawn only when opened: starting Plotly takes longer than all else on the page."""
    with st.expander("By class", key=state.NEW_BY_CLASS, on_change="rerun") as by_class:
        if by_class.open:
            alt = ", ".join(f"{class_label(name)}: {n}" for name, n in counts.items())
            chart(new_photos(counts), "new", f"New photos. {alt}.")


def _show_boxed(photos: int) -> None:
    if photos:
        st.info(
            f"**{pluralize(photos, 'photo')} with boxes.** A thorough retraining also learns from "
            "them to find the fruits of a photo; a quick one learns only what they are.",
            icon=":material/select:",
        )


def _show_left_out(counts: dict[str, int]) -> None:
    if counts:
        st.info(
            f"**Not learned yet: too few photos.** {describe_left_out(counts)} Add more, or give "
            "these photos another class on the Training data page.",
            icon=":material/hourglass_empty:",
        )


def _show_unreadable(estimate: Estimate) -> None:
    if estimate.unreadable:
        names = [photo.filename for photo in estimate.unreadable]
        st.warning(
            f"**{describe_skipped(names, len(names))}** Remove them on the Training data page and "
            "upload them again.",
            icon=":material/broken_image:",
        )


def _describe_new(estimate: Estimate) -> str:
    parts = []
    if estimate.new:
        classes = pluralize(len(estimate.new_by_class), "class")
        parts.append(f"{pluralize(estimate.new, 'photo')} in {classes}")
    if estimate.relabelled:
        parts.append(pluralize(estimate.relabelled, "corrected label"))
    if estimate.removed:
        parts.append(f"{estimate.removed:,} removed")
    return f"{', '.join(parts)}. Version `{estimate.champion}` has not learned this yet."


def _choose_mode(estimate: Estimate) -> Mode:
    fast, full = rough_duration(estimate.fast_seconds), rough_duration(estimate.full_seconds)
    chosen: Mode = st.radio(
        "How thoroughly",
        _MODES,
        format_func=mode_label,
        captions=[
            f"Keeps what it knows, adds your photos: {fast}.",
            f"Learns everything again from all photos: {full}.",
        ],
        key=state.MODE,
        persist_state="session",
        help=(
            "The times are estimated from the last run of that kind, or from one on two processor "
            f"cores if there is none, for {pluralize(estimate.photographs, 'photo')} to learn from "
            "and to measure on."
        ),
    )
    return chosen
