"""Choosing a class, known or new."""

from collections.abc import Sequence

import streamlit as st
from words import class_labels


def choose_class(
    label: str,
    names: Sequence[str],
    key: str,
    *,
    placeholder: str = "Choose a class or type a new one",
    persistent: bool = False,
) -> str | None:
    """The class that was chosen or typed, or None where none is.

    A known one is given by its name, a new one as it was typed: the API makes a name of it. With
    `persistent` the choice outlives a visit to another page.
    """
    labels = class_labels(names)
    return st.selectbox(
        label,
        list(labels),
        index=None,
        format_func=lambda name: labels.get(name, name),
        key=key,
        placeholder=placeholder,
        accept_new_options=True,
        persist_state="session" if persistent else None,
    )
