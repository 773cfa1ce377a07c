"""Model versions: which there are, and what served when."""

import streamlit as st
from clock import local
from resources.models import Promotion, Version, Versions
from words import kind_in_words, percent, sentence, when, who

_STATUS = {
    "champion": "Serves now",
    "challenger": "Never served",
    "retired": "Served before",
    "pruned": "Files removed",
}


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
