"""The part of the Model report on the networks that were compared."""

import streamlit as st
from charts.networks import accuracy_against_time, input_sizes
from resources.report import Manifest, Networks, Trial
from words import percent, spaced

from components.messages import empty_state
from components.plots import chart


def networks(found: Networks | None, manifest: Manifest) -> None:
    """The architecture comparison, where it was made."""
    if found is None:
        empty_state(
            "schema",
            "No networks were compared yet",
            "`make compare` trains each architecture on the same photographs and measures it.",
        )
        return
    if found.architectures:
        st.subheader("Architectures", anchor=False)
        chart(
            accuracy_against_time(found.architectures, manifest.architecture),
            "architectures",
            f"Share right against time: {_told(found.architectures)}.",
        )
        st.dataframe(
            {
                "Network": [spaced(trial.architecture) for trial in found.architectures],
                "Right": [percent(trial.accuracy) for trial in found.architectures],
                "Macro F1": [f"{trial.macro_f1:.3f}" for trial in found.architectures],
                "Milliseconds": [round(trial.milliseconds, 1) for trial in found.architectures],
                "Megabytes": [round(trial.megabytes, 1) for trial in found.architectures],
                "Starts from": [_weights(trial) for trial in found.architectures],
                "Training": [trial.training for trial in found.architectures],
            },
            hide_index=True,
            alt=f"The networks: {_told(found.architectures)}.",
        )
    if found.input_sizes:
        st.subheader("Input sizes", anchor=False)
        chart(
            input_sizes(found.input_sizes, manifest.input_size),
            "input-sizes",
            f"Share right against time over input sizes: {_told(found.input_sizes)}.",
        )
        st.caption(f"{spaced(found.input_sizes[0].architecture)}, {found.input_sizes[0].training}.")
    st.caption(f"Measured on: {found.split}. Time: {found.latency}.")


def _weights(trial: Trial) -> str:
    if trial.wanted_weights:
        return f"{trial.weights}, for want of {trial.wanted_weights}"
    return trial.weights


def _told(trials: list[Trial]) -> str:
    return ", ".join(
        f"{spaced(trial.architecture)} at {trial.input_size} pixels {percent(trial.accuracy)} in "
        f"{trial.milliseconds:.1f} ms"
        for trial in trials
    )
