"""Promoting a version, and rolling back to the previous one; both ask first."""

import cached_api
import streamlit as st
from api_models import Version, Versions
from errors import ApiError
from formatting import verdict_in_words, version_labels
from plain_text import as_markdown

from components import comparisons
from components.messages import run_action
from components.retrain import carry_over

# The area in which errors of both actions are shown.
AREA = "champion"


def change_champion(versions: Versions) -> None:
    if versions.champion is None:
        return
    labels = version_labels(versions)
    others = [v.version for v in versions.models if v.status in ("challenger", "retired")]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Version to put in use",
            others,
            format_func=lambda name: labels.get(name, name),
            placeholder="No other version is stored",
            help="It then grades all photos. The API calls this to promote a version.",
            disabled=not others,
        )
        if st.button("Put in use", icon=":material/upgrade:", disabled=chosen is None) and chosen:
            [version] = [v for v in versions.models if v.version == chosen]
            confirm_promotion(versions.champion, chosen, rejection_reasons(version))
        if (
            st.button("Roll back", icon=":material/undo:", disabled=versions.rollback_to is None)
            and versions.rollback_to
        ):
            confirm_rollback(versions.champion, versions.rollback_to)


def rejection_reasons(version: Version) -> tuple[str, ...]:
    """Why the promotion gate rejected a version; none if it did not."""
    if version.verdict is None or version.verdict.promote or version.verdict.passed:
        return ()
    return tuple(verdict_in_words(reason, version.classes) for reason in version.verdict.reasons)


@st.dialog("Put this version in use?", icon=":material/upgrade:")
def confirm_promotion(champion: str, version: str, reasons: tuple[str, ...]) -> None:
    """Ask before `version` replaces `champion`; `reasons` are the gate's objections."""
    st.write(f"Version `{version}` will replace `{champion}` within two seconds.")
    if reasons:
        st.warning(
            "**It did not pass the checks**\n\n"
            + "\n".join(f"- {as_markdown(reason)}" for reason in reasons)
        )
    else:
        _compare(champion, version)
    carry_over.ask(version)
    if st.button(
        "Put in use",
        type="primary",
        key="confirm-promotion",
        on_click=_promote,
        args=(version, champion),
    ):
        st.rerun()


@st.dialog("Roll back?", icon=":material/undo:")
def confirm_rollback(champion: str, version: str) -> None:
    """Ask before the earlier `version` replaces `champion`."""
    st.write(
        f"Version `{version}` will replace `{champion}` within two seconds. Nothing is deleted; "
        "you can put the current version in use again later."
    )
    _compare(champion, version)
    if st.button(
        "Roll back",
        type="primary",
        key="confirm-rollback",
        on_click=_roll_back,
        args=(version,),
    ):
        st.rerun()


def _promote(version: str, champion: str) -> None:
    run_action(AREA, lambda: carry_over.promote(version, champion))


def _roll_back(version: str) -> None:
    # Named, since a double click sends it twice, and somebody else may have rolled back meanwhile.
    run_action(AREA, lambda: cached_api.models().roll_back(version))


def _compare(champion: str, version: str) -> None:
    try:
        comparison = cached_api.models().compare_versions(champion, version)
    except ApiError:  # The page works without it.
        return
    rows = comparisons.metric_rows(comparison)
    st.table(
        {
            "Metric": [name for name, _, _ in rows],
            "In use now": [value for _, value, _ in rows],
            "New": [value for _, _, value in rows],
        }
    )
    if not comparison.same_data:
        st.caption(
            "Each was measured on its own test photos, so a difference may come from the photos."
        )
