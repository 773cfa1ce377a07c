"""Doing what a person asked for, and keeping what stood in the way until the next attempt."""

from collections.abc import Callable

import loaders
import state
import streamlit as st
from problems import ApiProblem


def attempt(area: str, action: Callable[[], object]) -> bool:
    """Did it work? A problem is kept for `show_problem`; what was loaded before is forgotten."""
    try:
        action()
    except ApiProblem as problem:
        state.keep_problem(area, problem)
        return False
    finally:
        loaders.forget_learning()
    state.keep_problem(area, None)
    return True


def show_problem(area: str, refused: str) -> None:
    """What stood in the way of the last attempt; `refused` is its title."""
    if problem := state.problem(area):
        title = problem.title if problem.passing else refused
        st.error(f"**{title}**\n\n{problem.detail}", icon=":material/error:")
