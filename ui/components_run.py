"""Parts of the Retrain page: what is new, the run that goes on, and what came of the last one."""

from datetime import UTC, datetime

import components
import loaders
import state
import streamlit as st
from attempts import attempt, show_problem
from charts.retraining import loss_curve, new_photographs
from clock import local
from problems import ApiProblem
from resources import runs
from resources.runs import Estimate, Mode, Run
from words import about, class_words, counted, duration, when

_AREA = "retrain"
_REFUSED = "The retraining does not start"
_UNTOLD = "What is new cannot be told"
_MODES: dict[Mode, str] = {"fast": "Fast", "full": "Full"}
_WHO = {"manual": "a person"}


def who(started_by: str) -> str:
    """A person, or the trigger that started a run, in words."""
    kind, _, name = started_by.partition(":")
    return f"the trigger “{name}”" if kind == "trigger" else _WHO.get(started_by, started_by)


@st.fragment(run_every="5s")
def start_panel(shown: Run | None, champion: str | None) -> None:
    """What is new and the button that starts a run; redraws the page when another one did.

    `shown` and `champion` are the run and the version that the page around it was drawn with.
    """
    try:
        newest, plan = runs.newest(loaders.api()), loaders.estimate()
    except ApiProblem as problem:
        components.trouble(problem, refused=_UNTOLD)
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


@st.fragment(run_every="1s")
def progress_panel(shown: Run) -> None:
    """How far the run is, with its loss curve; redraws the page when it is over."""
    try:
        run = runs.newest(loaders.api())
    except ApiProblem as problem:
        components.trouble(problem, refused="The progress cannot be told")
        return
    if run is None or not run.active or run.run_id != shown.run_id:
        loaders.forget_learning()
        st.rerun()
    with st.container(border=True, key="running"):
        waits = run.state == "queued"
        st.subheader(
            f"{_MODES[run.mode]} retraining is {'waiting' if waits else 'going on'}", anchor=False
        )
        if waits:
            st.info(run.message, icon=":material/hourglass_top:")
        else:
            st.progress(min(run.progress / 100, 1.0), text=run.message)
            st.caption(_times(run))
        if run.losses:
            st.markdown("**Loss by epoch**")
            components.chart(loss_curve(run.losses), "losses", _losses_in_words(run))
        elif run.mode == "full" and run.state == "running":
            st.caption("The loss curve appears after the first epoch.")
        st.button(
            "Being cancelled" if run.cancel_requested else "Cancel",
            icon=":material/cancel:",
            disabled=run.cancel_requested,
            on_click=_cancel,
            args=(run.run_id,),
        )
        show_problem(_AREA, "The run cannot be cancelled")


def _start(mode: Mode) -> None:
    attempt(_AREA, lambda: runs.start(loaders.api(), mode))


def _cancel(run_id: str) -> None:
    attempt(_AREA, lambda: runs.cancel(loaders.api(), run_id))


def _moved_on(shown: Run | None, newest: Run | None) -> bool:
    if shown is None or newest is None:
        return shown is not newest
    return (shown.run_id, shown.state) != (newest.run_id, newest.state)


def _news(plan: Estimate) -> None:
    if not plan.anything_new:
        components.empty_state(
            "done_all",
            "Nothing new to learn",
            f"Version `{plan.champion}` has learned every photograph that there is. Add some on "
            "the page Training data, or correct a grade on the page Predict.",
        )
        return
    st.subheader("New since the version that serves", anchor=False)
    st.write(_news_in_words(plan))
    if plan.new_by_class:
        alt = ", ".join(f"{class_words(name)}: {n}" for name, n in plan.new_by_class.items())
        components.chart(new_photographs(plan.new_by_class), "news", f"New photographs. {alt}.")


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
        list(_MODES),
        format_func=lambda mode: _MODES[mode],
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


def _times(run: Run) -> str:
    parts = [f"Started by {who(run.started_by)}"]
    if run.started_at:
        parts.append(f"since {when(local(run.started_at))}")
        taken = (datetime.now(UTC) - run.started_at).total_seconds()
        parts.append(f"{duration(max(taken, 0))} so far")
    if run.cancel_requested:
        parts.append("being cancelled")
    elif run.eta_seconds is not None:
        parts.append(f"{about(run.eta_seconds)} left")
    return f"{run.progress:.0f} % · {' · '.join(parts)}"


def _losses_in_words(run: Run) -> str:
    last = run.losses[-1]
    told = [
        f"{name.replace('_', ' ')} {last[name]:.3f}"
        for name in ("loss", "val_loss")
        if name in last
    ]
    return f"Loss by epoch; after epoch {len(run.losses)}: {', '.join(told)}."
