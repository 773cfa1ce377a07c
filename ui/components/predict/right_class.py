"""Asking whether a grade is right, and what is."""

from collections.abc import Callable, Sequence

import cached_api
import streamlit as st

from components.class_picker import choose_class


def ask_right_class(
    names: Sequence[str],
    key: str,
    *,
    known: bool,
    send: str,
    on_answer: Callable[[str | None], None],
) -> bool:
    """Ask for the right class of something graded; whether it was answered just now.

    `on_answer` gets the class, or None if the grade is right; what is not `known` has no class that
    could be. `key` is the class picker's, and `send` what its button says.
    """
    st.markdown("**Is this right?**" if known else "**What is it?**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        right = known and st.button(
            "Yes, it is right", icon=":material/thumb_up:", on_click=on_answer, args=(None,)
        )
        with st.popover("No, it is …" if known else "It is …", icon=":material/edit:"):
            classes = sorted({*cached_api.known_classes(), *names})
            chosen = choose_class("The right class", classes, key)
            sent = st.button(
                send, type="primary", disabled=not chosen, on_click=on_answer, args=(chosen,)
            )
    return right or sent
