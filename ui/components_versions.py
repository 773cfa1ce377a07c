"""Model versions: which there are, letting another one serve, going back."""

import comparisons
import loaders
import streamlit as st
from attempts import attempt
from clock import local
from components_run import who
from problems import ApiProblem
from resources import models
from resources.models import Promotion, Version, Versions
from words import percent, sentence, when

# Under which a change of the champion that did not work is kept.
AREA = "champion"
_STATUS = {
    "champion": "Serves now",
    "challenger": "Never served",
    "retired": "Served before",
    "pruned": "Files removed",
}
_KINDS = {
    "first": "The first one",
    "gate": "Passed the gate",
    "manual": "Promoted by hand",
    "rollback": "Rolled back",
}


def kind_in_words(kind: str) -> str:
    """How a version came to serve."""
    return _KINDS.get(kind, sentence(kind))


def versions_table(found: Versions) -> None:
    """Every version with its figures, the newest first."""
    st.dataframe(
        [_row(version) for version in found.models],
        hide_index=True,
        column_config={
            "Right": st.column_config.TextColumn(
                help="Share of the version's own test photographs, which it has not seen, that it "
                "grades right. Versions with other test photographs do not compare by it."
            ),
            "Photographs": st.column_config.NumberColumn(
                help="What it learned from and was measured on.", format="localized"
            ),
        },
    )
    st.caption(
        "The five newest versions are kept, besides the one that serves and the one before it; "
        "of others only the record is left."
    )


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


def champions_table(promotions: list[Promotion]) -> None:
    """What served when, the newest first."""
    st.dataframe(
        [
            {
                "Serves from": when(local(promotion.at)),
                "Version": promotion.version,
                "In place of": promotion.replaced or "—",
                "How": kind_in_words(promotion.kind),
            }
            for promotion in promotions
        ],
        hide_index=True,
    )


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


def _row(version: Version) -> dict[str, object]:
    right = version.metrics.accuracy
    return {
        "Version": version.version,
        "State": _STATUS[version.status],
        "Made": when(local(version.created_at)),
        "How": sentence(version.origin),
        "Right": "—" if right is None else percent(right),
        "Classes": len(version.classes),
        "Photographs": version.data.photographs,
        "From": version.parent or "—",
        "Started by": sentence(who(version.started_by)),
    }
