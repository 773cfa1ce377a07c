"""Choosing what a run trains: its mode, and whether the detector learns."""

from typing import NamedTuple

import state
import streamlit as st
from api_models import Estimate
from client import DetectorOption, Mode
from formatting import mode_label, pluralize, rough_duration

_MODES: tuple[Mode, ...] = ("fast", "full", "detector")
# What a run of a mode may do with the detector: label and explanation.
_OPTIONS: dict[Mode, dict[DetectorOption, tuple[str, str]]] = {
    "fast": {},
    "full": {
        "auto": ("Learn from new boxes", "Builds on what it finds now, if there are new boxes."),
        "keep": ("Leave it as it is", "Only the grades are learned again."),
        "train": ("Start over", "Learns it again from all photos: half an hour more."),
    },
    "detector": {
        "auto": ("Learn from new boxes", "Builds on what it finds now."),
        "train": ("Start over", "Learns it again from all photos: half an hour."),
    },
}


class Choice(NamedTuple):
    mode: Mode
    detector: DetectorOption


def choose(estimate: Estimate) -> Choice:
    """Show the widgets, and return the person's choice."""
    mode = _choose_mode(estimate)
    options = _OPTIONS[mode]
    if not options:
        return Choice(mode, "auto")
    detector: DetectorOption = st.radio(
        "Finding the fruits of a photo",
        list(options),
        format_func=lambda option: options[option][0],
        captions=[caption for _, caption in options.values()],
        key=f"{state.DETECTOR}_{mode}",
        persist_state="session",
        help="Where the fruits of a photo are, before each is graded. What was learned is used "
        "only if it is as good on photos that were set aside.",
    )
    return Choice(mode, detector)


def has_new(estimate: Estimate) -> bool:
    """Whether there is something new for the grader to learn."""
    return bool(estimate.new or estimate.relabelled or estimate.removed)


def nothing_to_do(choice: Choice, estimate: Estimate) -> str | None:
    """Why such a run would learn nothing; None if it has something to learn."""
    if choice.mode == "fast" and not has_new(estimate):
        return "There is nothing new for a quick retraining to learn."
    if choice == Choice("detector", "auto") and not estimate.boxed_photos:
        return (
            "There are no new photos with boxes. Draw boxes on the Predict page, or upload photos "
            "that have some on the Training data page."
        )
    return None


def _choose_mode(estimate: Estimate) -> Mode:
    fast, full, find = (
        rough_duration(seconds)
        for seconds in (estimate.fast_seconds, estimate.full_seconds, estimate.detector_seconds)
    )
    chosen: Mode = st.radio(
        "What to teach",
        _MODES,
        format_func=mode_label,
        captions=[
            f"Keeps what it knows, adds your photos: {fast}.",
            f"Learns everything again from all photos: {full}.",
            f"Learns from boxes where the fruits of a photo are; grades stay the same: {find}.",
        ],
        key=state.MODE,
        persist_state="session",
        help=(
            f"Times are estimated for {pluralize(estimate.photographs, 'photo')} to learn from and "
            "to measure on, from the last run of that kind. Without one, they are for two "
            "processor cores."
        ),
    )
    return chosen
