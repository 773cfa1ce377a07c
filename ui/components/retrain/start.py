"""What is new, and the button that starts a run."""

import loaders
import state
import streamlit as st
from charts.retraining import new_photographs
from problems import ApiProblem
from resources import runs
from resources.runs import Estimate, Mode, Run
from words import about, class_words, counted, sentence

from components.attempts import attempt, show_problem
from components.messages import empty_state, trouble
from components.plots import chart

_AREA = "retrain"
_MODES: tuple[Mode, ...] = ("fast", "full")
_REFUSED = "The retraining does not start"
_UNTOLD = "What is new cannot be told"


@st.fragment(run_every="5s")
def start_panel(shown: Run | None, champion: str | None) -> None:
    """What is new and the button that starts a run; redraws the page when another one did.

    `shown` and `champion` are the run and the version that the page around it was drawn with.
    """
    try:
        newest, plan = runs.newest(loaders.api()), loaders.estimate()
    except ApiProblem as problem:
        trouble(problem, refused=_UNTOLD)
        return
    if _moved_on(shown, newest) or plan.champion != champion:
        st.rerun()
    _news(plan)
    mode = _mode(plan)
    idle = mode == "fast" and not plan.anything_new
    st.button(
        "Retrain",
        type="primary",
        icon=":material/model_training:",
        disabled=idle,
        on_click=_start,
        args=(mode,),
        help="There is nothing new for a fast retraining to learn." if idle else None,
    )
    show_problem(_AREA, _REFUSED)


def _start(mode: Mode) -> None:
    attempt(_AREA, lambda: runs.start(loaders.api(), mode))


def _moved_on(shown: Run | None, newest: Run | None) -> bool:
    if shown is None or newest is None:
        return shown is not newest
    return (shown.run_id, shown.state) != (newest.run_id, newest.state)


def _news(plan: Estimate) -> None:
    if not plan.anything_new:
        empty_state(
            "done_all",
            "Nothing new to learn",
            f"Version `{plan.champion}` has learned every photograph that there is. Add some on "
            "the page Training data, or correct a grade on the page Predict.",
        )
        return
    st.subheader("New since the version that serves", anchor=False)
    st.write(_news_in_words(plan))
    if plan.new_by_class:
        _by_class(plan.new_by_class)


def _by_class(counts: dict[str, int]) -> None:
    """Drawn when it is asked for: starting Plotly takes longer than all else on the page."""
    with st.expander("By class", key=state.NEWS_BY_CLASS, on_change="rerun") as by_class:
        if by_class.open:
            alt = ", ".join(f"{class_words(name)}: {n}" for name, n in counts.items())
            chart(new_photographs(counts), "news", f"New photographs. {alt}.")


def _news_in_words(plan: Estimate) -> str:
    parts = []
    if plan.new:
        classes = counted(len(plan.new_by_class), "class")
        parts.append(f"{counted(plan.new, 'photograph')} in {classes}")
    if plan.relabelled:
        parts.append(counted(plan.relabelled, "corrected label"))
    if plan.removed:
        parts.append(f"{plan.removed:,} removed")
    return f"{', '.join(parts)}. Not yet learned by version `{plan.champion}`."


def _mode(plan: Estimate) -> Mode:
    captions = [
        f"A new last layer on what the network sees: {about(plan.fast_seconds)}.",
        f"The whole network, on the photographs themselves: {about(plan.full_seconds)}.",
    ]
    chosen: Mode = st.radio(
        "How thoroughly",
        _MODES,
        format_func=sentence,
        captions=captions,
        key=state.MODE,
        persist_state="session",
        help=(
            "The times are estimated from the last run of that kind, or where there is none, from "
            f"one on two processor cores, for {counted(plan.photographs, 'photograph')} to learn "
            "from and to measure on."
        ),
    )
    return chosen
