"""Choosing a class, known or new."""

from collections.abc import Sequence

import streamlit as st
from formatting import class_labels


def choose_class(
    label: str, names: Sequence[str], key: str, *, persistent: bool = False
) -> str | None:
    """The class that was chosen or typed, or None.

    A known class is returned by its name, a new one as typed: the API normalizes it. With
    `persistent`, the choice survives a visit to another page.
    """
    labels = class_labels(names)
    return st.selectbox(
        label,
        list(labels),
        index=None,
        format_func=lambda name: labels.get(name, name),
        key=key,
        placeholder="Choose a class or type a new one",
        accept_new_options=True,
        persist_state="session" if persistent else None,
    )
