"""Choosing a class, known or new, and asking whether a grade is right."""

from collections.abc import Callable, Mapping, Sequence

import cached_api
import streamlit as st
from formatting import class_labels
from plain_text import as_markdown


def choose_class(
    label: str, names: Sequence[str], key: str, *, persistent: bool = False
) -> str | None:
    """The class that was chosen or typed, or None.

    A known class is returned by its name, also if its label or the beginning of its label was
    typed. A new one is returned as typed, since the API normalizes it. With `persistent`, the
    choice survives a visit to another page. `is_new_class` says whether the person called it a new
    class.
    """
    labels = class_labels(names)
    chosen = st.selectbox(
        label,
        list(labels),
        index=None,
        format_func=lambda name: labels.get(name, name),
        key=key,
        placeholder="Choose a class or type a new one",
        accept_new_options=True,
        persist_state="session" if persistent else None,
    )
    if chosen is None or chosen in labels:
        return chosen
    begun = classes_begun(chosen, labels)
    if len(begun) == 1:
        [known] = begun
        if labels[known].casefold() == chosen.strip().casefold():
            return known
        st.caption(f"Taken as **{as_markdown(labels[known])}**.")
    is_new = st.checkbox(
        f"{as_markdown(chosen)} is a class of its own, even if its name looks like a known one",
        key=_question(key),
    )
    if is_new or not begun:
        return chosen
    if len(begun) == 1:
        return begun[0]
    return st.pills("Which one is it?", begun, format_func=labels.__getitem__, key=f"{key}_begun")


def classes_begun(typed: str, labels: Mapping[str, str]) -> list[str]:
    """The classes whose label begins with the typed text; if that is a whole label, only its class.

    Return in a select box gives the typed text, not the class that begins with it.
    """
    start = typed.strip().casefold()
    folded = {name: label.casefold() for name, label in labels.items()}
    whole = [name for name, label in folded.items() if label == start]
    return whole or [name for name, label in folded.items() if start and label.startswith(start)]


def is_new_class(key: str) -> bool:
    """Whether the person said that the class chosen under `key` is a new one."""
    return bool(st.session_state.get(_question(key)))


def ask_new_folders(key: str) -> None:
    """The same question about all new classes that the folders of a zip name."""
    st.checkbox(
        "New folders are classes of their own, even if they look like known ones",
        key=_question(key),
    )


def ask_right_class(
    names: Sequence[str],
    key: str,
    *,
    known: bool,
    send: str,
    on_answer: Callable[[str | None], None],
) -> bool:
    """Ask for the right class of something graded; returns whether it was answered just now.
    `on_answer` gets the class, or None if the grade is right; that is asked only if the grade is
    `known`. `key` is the class picker's, and `send` the label of its button.
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


def _question(key: str) -> str:
    return f"{key}_is_new"
