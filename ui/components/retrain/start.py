"""What is new, and the button that starts a run."""

from collections.abc import Callable

import cached_api
import state
import streamlit as st
from api_models import Estimate, Run
from charts.retraining import new_photos
from errors import ApiError
from formatting import (
    class_label,
    describe_left_out,
    describe_skipped,
    mode_label,
    pluralize,
)

from components.display import chart
from components.messages import (
    empty_state,
    run_action,
    show_action_error,
    show_fragment_error,
)
from components.retrain.choice import Choice, choose, has_new, nothing_to_do

_AREA = "retrain"
# The API's code if a run is queued or running.
_RUN_ACTIVE = "run-active"


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
        # Otherwise the page would rerun without end until the cache forgets an earlier version.
        cached_api.clear_model_data()
        st.rerun()
    _show_new(estimate)
    _show_boxed(estimate.boxed_photos)
    _show_left_out(estimate.left_out)
    _show_unreadable(estimate)
    choice = choose(estimate)
    idle = nothing_to_do(choice, estimate)
    st.button(
        "Retrain",
        type="primary",
        icon=":material/model_training:",
        disabled=idle is not None,
        on_click=_start,
        args=(choice,),
        help=idle,
    )
    show_action_error(_AREA, "The retraining did not start")


def _start(choice: Choice) -> None:
    _unless_active(lambda: cached_api.api().start_run(choice.mode, choice.detector))


def start_again(run: Run) -> None:
    """A button that starts a cancelled or interrupted run again."""
    st.button(
        "Start again",
        icon=":material/restart_alt:",
        help="The same run, from its beginning.",
        on_click=_start_again,
        args=(run,),
    )


def _start_again(run: Run) -> None:
    _unless_active(lambda: cached_api.api().start_again(run))


def _unless_active(start: Callable[[], object]) -> None:
    """Start a run. If there is one already, by a second click or another person, the page shows
    it."""

    def action() -> None:
        try:
            start()
        except ApiError as error:
            if error.code != _RUN_ACTIVE:
                raise

    run_action(_AREA, action)


def _has_changed(shown: Run | None, newest: Run | None) -> bool:
    if shown is None or newest is None:
        return shown is not newest
    return (shown.run_id, shown.state) != (newest.run_id, newest.state)


def _show_new(estimate: Estimate) -> None:
    if not has_new(estimate):
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
    """Drawn only when opened, since starting Plotly takes longer than everything else on the
    page."""
    with st.expander("By class", key=state.NEW_BY_CLASS, on_change="rerun") as by_class:
        if by_class.open:
            alt = ", ".join(f"{class_label(name)}: {n}" for name, n in counts.items())
            chart(new_photos(counts), "new", f"New photos. {alt}.")


def _show_boxed(photos: int) -> None:
    if photos:
        st.info(
            f"**{pluralize(photos, 'photo')} with boxes.** “{mode_label('detector')}” and a "
            "thorough retraining learn from them where the fruits of a photo are; a quick one "
            "learns only what they are.",
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
