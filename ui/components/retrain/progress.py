"""The current run: its progress, its loss curve, and a button to cancel it."""

from datetime import UTC, datetime

import cached_api
import streamlit as st
from api_models import Run
from charts.retraining import loss_curve
from errors import ApiError
from formatting import duration, format_time, rough_duration, run_label, starter_label
from plain_text import as_markdown
from timezone import local

from components.display import chart
from components.messages import run_action, show_action_error, show_fragment_error

_AREA = "cancel"


def is_active(run: Run) -> bool:
    return run.state in ("queued", "running")


@st.fragment(run_every="1s")
def progress_panel(shown: Run) -> None:
    """The progress of the run `shown`; reruns the page when it is over."""
    try:
        run = cached_api.api().newest_run()
    except ApiError as error:
        show_fragment_error(error, rejected="The progress is not available")
        return
    if run is None or not is_active(run) or run.run_id != shown.run_id:
        cached_api.clear_model_data()
        st.rerun()
    with st.container(border=True, key="running"):
        queued = run.state == "queued"
        st.subheader(
            f"{run_label(run.mode)} is {'waiting' if queued else 'running'}",
            anchor=False,
        )
        if queued:
            st.info(as_markdown(run.message), icon=":material/hourglass_top:")
        else:
            st.progress(min(run.progress / 100, 1.0), text=as_markdown(run.message))
            st.caption(_times(run))
        if run.losses:
            st.markdown("**Error after each round (loss by epoch)**")
            chart(loss_curve(run.losses), "losses", _losses_alt(run))
        elif run.mode == "full" and run.state == "running":
            st.caption("The curve appears after the first round through the photos.")
        # Not a dialog: the next refresh, a second later, would close it.
        with st.popover(
            "Being cancelled" if run.cancel_requested else "Cancel",
            icon=":material/cancel:",
            disabled=run.cancel_requested,
        ):
            st.write("What this run has learned so far will be lost. The current model stays.")
            st.button("Cancel this run", type="primary", on_click=_cancel, args=(run.run_id,))
        show_action_error(_AREA, "The run cannot be cancelled")


def _cancel(run_id: str) -> None:
    run_action(_AREA, lambda: cached_api.api().cancel_run(run_id))


def _times(run: Run) -> str:
    parts = [f"Started by {as_markdown(starter_label(run.started_by))}"]
    if run.started_at:
        parts.append(f"since {format_time(local(run.started_at))}")
        taken = (datetime.now(UTC) - run.started_at).total_seconds()
        parts.append(f"{duration(max(taken, 0))} so far")
    if run.cancel_requested:
        parts.append("being cancelled")
    elif run.eta_seconds is not None:
        parts.append(f"{rough_duration(run.eta_seconds)} left")
    return f"{run.progress:.0f} % · {' · '.join(parts)}"


def _losses_alt(run: Run) -> str:
    last = run.losses[-1]
    losses = [
        f"{name.replace('_', ' ')} {last[name]:.3f}"
        for name in ("loss", "val_loss")
        if name in last
    ]
    return f"Loss by epoch; after epoch {len(run.losses)}: {', '.join(losses)}."
