"""Letting another version serve, or the one before it again; both ask first."""

import loaders
import streamlit as st
from problems import ApiProblem
from resources import models
from resources.models import Versions

from components import comparisons
from components.attempts import attempt

# Under which a change of the champion that did not work is kept.
AREA = "champion"


def change_champion(found: Versions) -> None:
    """Roll back, or promote another version; both ask first."""
    if found.champion is None:
        return
    others = [version.version for version in found.models if version.may_serve]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Version to promote",
            others,
            placeholder="No other version is stored",
            disabled=not others,
        )
        if st.button("Promote", icon=":material/upgrade:", disabled=chosen is None) and chosen:
            confirm_promotion(found.champion, chosen, _reasons(found, chosen))
        if (
            st.button("Roll back", icon=":material/undo:", disabled=found.rollback_to is None)
            and found.rollback_to
        ):
            confirm_rollback(found.champion, found.rollback_to)


@st.dialog("Promote this version?", icon=":material/upgrade:")
def confirm_promotion(champion: str, version: str, reasons: tuple[str, ...]) -> None:
    """Ask before `version` serves in place of `champion`; `reasons` are the gate's against it."""
    st.write(f"Version `{version}` will serve in place of `{champion}`, within two seconds.")
    if reasons:
        st.warning(
            "**The gate speaks against it**\n\n" + "\n".join(f"- {reason}" for reason in reasons)
        )
    else:
        _compare(champion, version)
    if st.button(
        "Promote", type="primary", key="confirm-promotion", on_click=_promote, args=(version,)
    ):
        st.rerun()


@st.dialog("Roll back?", icon=":material/undo:")
def confirm_rollback(champion: str, version: str) -> None:
    """Ask before `version` serves again in place of `champion`."""
    st.write(
        f"Version `{version}` will serve again in place of `{champion}`, within two seconds. "
        "Nothing is deleted; you can promote the present version again later."
    )
    _compare(champion, version)
    if st.button("Roll back", type="primary", key="confirm-rollback", on_click=_roll_back):
        st.rerun()


def _promote(version: str) -> None:
    attempt(AREA, lambda: models.promote(loaders.api(), version))


def _roll_back() -> None:
    attempt(AREA, lambda: models.roll_back(loaders.api()))


def _compare(champion: str, version: str) -> None:
    try:
        found = models.compare(loaders.api(), champion, version)
    except ApiProblem:  # It only helps to decide.
        return
    rows = comparisons.measured(found)
    st.table(
        {
            "Figure": [name for name, _, _ in rows],
            "Serves now": [value for _, value, _ in rows],
            "Would serve": [value for _, _, value in rows],
        }
    )
    if not found.same_data:
        st.caption(
            "Each was measured on its own test photographs: a difference may come from those."
        )


def _reasons(found: Versions, chosen: str) -> tuple[str, ...]:
    version = next(version for version in found.models if version.version == chosen)
    if version.verdict is None or version.verdict.promote:
        return ()
    return tuple(version.verdict.reasons)
