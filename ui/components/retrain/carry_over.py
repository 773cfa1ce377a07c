"""Carries the thresholds of single fruits over from the version in use to the next."""

import cached_api
import cached_thresholds
import state
import streamlit as st
from api_models import VersionThresholds
from errors import ApiError
from formatting import capitalize, pluralize
from plain_text import as_markdown

from components.messages import run_action

_WHY = (
    "They were chosen by the scores of the other version. See on the Model report, under “Where to "
    "draw the line”, what they get wrong here."
)


def ask(version: str) -> None:
    """Before `version` is promoted: say which thresholds it lacks, and ask whether to copy them."""
    found = _compare(version)
    if found and found.lacks:
        st.warning(
            f"**It does not know where you drew the line.** For {_listed(found)}, the version in "
            "use has limits of its own; this one would use those for all fruits.",
            icon=":material/tune:",
        )
        st.checkbox(
            f"Carry the limits of {pluralize(len(found.lacks), 'fruit')} over",
            key=state.CARRY_OVER,
            help=_WHY,
        )


def promote(version: str, champion: str) -> None:
    """Put `version` in use in place of `champion`, with the champion's thresholds if the person
    wants them."""
    if st.session_state.get(state.CARRY_OVER):
        cached_thresholds.carry_over(champion, version)
    cached_api.models().promote(version)
    cached_thresholds.clear()


def offer(area: str, version: str) -> None:
    """After `version` was promoted without asking: say which thresholds it lacks, and offer to copy
    them."""
    found = _compare(version)
    if found and found.lacks and found.compared_with:
        st.warning(
            f"**Where you drew the line is not carried over.** For {_listed(found)}, the version "
            "before had limits of its own; this one uses those for all fruits.",
            icon=":material/tune:",
        )
        st.button(
            "Carry them over",
            icon=":material/content_copy:",
            help=_WHY,
            on_click=_carry_over,
            args=(area, found.compared_with, version),
        )


def _carry_over(area: str, other: str, version: str) -> None:
    run_action(area, lambda: cached_thresholds.carry_over(other, version))


def _compare(version: str) -> VersionThresholds | None:
    try:
        return cached_thresholds.of_version(version)
    except ApiError:  # The page works without this offer.
        return None


def _listed(found: VersionThresholds) -> str:
    return ", ".join(as_markdown(capitalize(fruit)) for fruit in found.lacks)
