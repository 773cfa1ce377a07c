"""Undoing a person's last action, and restoring what was removed in the last days."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import state
import streamlit as st
from formatting import pluralize
from plain_text import as_markdown
from state import Undo

from components.messages import run_action, show_action_error

# Otherwise the input moves to its own line when focused, and the button moves away from the tap.
_STEADY = (
    "<style>[data-testid=stMultiSelect] input "
    "{ flex: 1 1 0 !important; min-width: 0 !important; width: 0 !important; }</style>"
)


def offer(area: str) -> None:
    """Say what was done last in this area, with a button to undo it."""
    if done := state.undo(area):
        with st.container(horizontal=True, vertical_alignment="center", key=f"undo_{area}"):
            st.markdown(f":material/check_circle: {as_markdown(done.message)}")
            if done.take_back:
                st.button(
                    "Undo",
                    icon=":material/undo:",
                    on_click=_take_back,
                    args=(area, done),
                )
    show_action_error(area, "This cannot be done")


class Removed(NamedTuple):
    """Things of one kind (`noun`) that were removed in the last `kept_days`. `total` counts all of
    them; `descriptions` are of those that can be chosen, by id. `restore` and `delete` get the
    chosen ids, and say what they did.
    """

    noun: str
    kept_days: float
    total: int
    descriptions: Mapping[str, str]
    restore: Callable[[Sequence[str]], str]
    delete: Callable[[Sequence[str]], str]


def removed_lately(area: str, removed: Removed) -> None:
    """What can still be restored, also after a reload and by other people."""
    if not removed.total:
        return
    descriptions, noun = removed.descriptions, removed.noun
    with st.expander(
        f"Removed in the last {days_text(removed.kept_days)}: {pluralize(removed.total, noun)}",
        icon=":material/restore_from_trash:",
    ):
        st.html(_STEADY)
        chosen = st.multiselect(
            f"{noun.capitalize()}s",
            list(descriptions),
            format_func=lambda one: descriptions[one],
            key=f"{state.REMOVED_CHOSEN}_{area}",
            placeholder=f"Choose removed {noun}s",
        )
        with st.container(horizontal=True):
            st.button(
                "Put back",
                icon=":material/undo:",
                disabled=not chosen,
                on_click=_run,
                args=(area, partial(removed.restore, chosen)),
            )
            with st.popover("Delete for good", icon=":material/delete:", disabled=not chosen):
                st.write(f"{pluralize(len(chosen), noun)} cannot be brought back after that.")
                st.button(
                    "Delete now",
                    type="primary",
                    on_click=_run,
                    args=(area, partial(removed.delete, chosen)),
                )


def days_text(days: float) -> str:
    """The number of days as in "the last 7 days"."""
    return "day" if days == 1 else f"{days:g} days"


def _take_back(area: str, done: Undo) -> None:
    if done.take_back and state.undo(area) is done:  # Otherwise a second click.
        _run(area, done.take_back)


def _run(area: str, action: Callable[[], str]) -> None:
    def act() -> None:
        state.keep_undo(area, Undo(action(), None))

    run_action(area, act)
