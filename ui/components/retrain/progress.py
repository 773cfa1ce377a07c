"""The run that goes on: how far it is, its loss curve, and the button that ends it."""

from datetime import UTC, datetime

import loaders
import streamlit as st
from charts.retraining import loss_curve
from clock import local
from problems import ApiProblem
from resources import runs
from resources.runs import Run
from words import about, duration, sentence, when, who

from components.attempts import attempt, show_problem
from components.messages import trouble
from components.plots import chart

_AREA = "cancel"


@st.fragment(run_every="1s")
def progress_panel(shown: Run) -> None:
    """How far the run is, with its loss curve; redraws the page when it is over."""
    try:
        run = runs.newest(loaders.api())
    except ApiProblem as problem:
        trouble(problem, refused="The progress cannot be told")
        return
    if run is None or not run.active or run.run_id != shown.run_id:
        loaders.forget_learning()
        st.rerun()
    with st.container(border=True, key="running"):
        waits = run.state == "queued"
        st.subheader(
            f"{sentence(run.mode)} retraining is {'waiting' if waits else 'going on'}", anchor=False
        )
        if waits:
            st.info(run.message, icon=":material/hourglass_top:")
        else:
            st.progress(min(run.progress / 100, 1.0), text=run.message)
            st.caption(_times(run))
        if run.losses:
            st.markdown("**Loss by epoch**")
            chart(loss_curve(run.losses), "losses", _losses_in_words(run))
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


def _cancel(run_id: str) -> None:
    attempt(_AREA, lambda: runs.cancel(loaders.api(), run_id))


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
