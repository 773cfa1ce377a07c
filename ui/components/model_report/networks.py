"""The networks that were compared."""

import streamlit as st
from api_models import ArchitectureComparison, Manifest, Trial
from charts.report import accuracy_against_time, input_sizes
from formatting import humanize, percent
from plain_text import as_markdown

from components.display import chart
from components.messages import empty_state


def networks(comparison: ArchitectureComparison | None, manifest: Manifest) -> None:
    """The architecture comparison, if there is one."""
    if comparison is None:
        empty_state(
            "schema",
            "No networks were compared yet",
            "`make compare` trains each architecture on the same photos and measures it.",
        )
        return
    trials, sizes = comparison.architectures, comparison.input_sizes
    if trials:
        st.subheader("Architectures", anchor=False)
        chart(
            accuracy_against_time(trials, manifest.architecture),
            "architectures",
            f"Share right against time: {_list(trials)}.",
        )
        st.dataframe(
            {
                "Network": [humanize(trial.architecture) for trial in trials],
                "Right": [percent(trial.accuracy) for trial in trials],
                "Each class alike": [f"{trial.macro_f1:.3f}" for trial in trials],
                "Milliseconds": [round(trial.milliseconds, 1) for trial in trials],
                "Megabytes": [round(trial.megabytes, 1) for trial in trials],
                "Starts from": [_weights(trial) for trial in trials],
                "Training": [trial.training for trial in trials],
            },
            hide_index=True,
            column_config={
                "Each class alike": st.column_config.TextColumn(
                    help="How much is right where each class counts alike: macro F1, at most 1."
                )
            },
            alt=f"The networks: {_list(trials)}.",
        )
    if sizes:
        st.subheader("Input sizes", anchor=False)
        chart(
            input_sizes(sizes, manifest.input_size),
            "input-sizes",
            f"Share right against time by input size: {_list(sizes)}.",
        )
        st.caption(as_markdown(f"{humanize(sizes[0].architecture)}, {sizes[0].training}."))
    st.caption(as_markdown(f"Measured on: {comparison.split}. Time: {comparison.latency}."))


def _weights(trial: Trial) -> str:
    if trial.wanted_weights:
        return f"{trial.weights} ({trial.wanted_weights} not available)"
    return trial.weights


def _list(trials: list[Trial]) -> str:
    return ", ".join(
        f"{humanize(trial.architecture)} at {trial.input_size} pixels {percent(trial.accuracy)} in "
        f"{trial.milliseconds:.1f} ms"
        for trial in trials
    )
