"""The verdict on a lot, and the shares behind it."""

import lots
import streamlit as st
from api_models import Inspection, LevelShare
from formatting import level_label, percent
from plain_text import as_markdown

_ICONS = {"accept": "check_circle", "reject": "cancel", "more": "photo_camera"}


def verdict(inspection: Inspection) -> None:
    """The verdict in a word or two, what to do, and the shares."""
    decision = inspection.verdict.decision
    show = {"accept": st.success, "reject": st.error, "more": st.info}[decision]
    message = as_markdown(inspection.verdict.message)
    if needed := lots.photos_needed(inspection):
        message += f"  \n{needed}"
    with st.container(key="verdict"):
        show(
            f"**{lots.decision(inspection)}**  \n{message}",
            icon=f":material/{_ICONS[decision]}:",
        )
    if not inspection.photos:
        return
    with st.container(horizontal=True, gap="medium", key="shares"):
        for share in inspection.shares:
            _share(share)
        if inspection.counts.unknown:
            with st.container(width=_CELL, gap="xsmall"):
                st.metric("Not known", f"{inspection.counts.unknown:,}")
                st.caption("Tap them below to say what they are.")
    st.caption(
        f"{lots.tolerated(inspection)}. Pick the fruits at random, from all parts of the lot.",
        help="The ranges are for the fruits so far. The verdict needs a few more fruits, since "
        "checking it after each photo gives chance more tries.",
    )


_CELL = 160


def _share(share: LevelShare) -> None:
    with st.container(width=_CELL, gap="xsmall"):
        shown = None if share.share is None else percent(share.share)
        st.metric(
            level_label(share.level),
            f"{share.count:,}",
            shown,
            delta_color="off",
            delta_arrow="off",
        )
        limit = "" if share.limit is None else f"  \nTolerated: {lots.round_percent(share.limit)}"
        st.caption(f"{lots.share_range(share)}{limit}")
