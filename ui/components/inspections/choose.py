"""Finding an inspection, or opening a new one."""

from datetime import date, datetime, timedelta
from functools import partial

import cached_api
import cached_inspections
import inspection_state
import lots
import state
import streamlit as st
from api_models import Inspection, InspectionPage
from errors import ApiError
from formatting import format_time, fruit_and_freshness, pluralize
from plain_text import as_markdown
from timezone import local, start_of

from components import undo
from components.class_picker import classes_begun
from components.display import open_page
from components.inspections import removed
from components.messages import empty_state, run_action, show_action_error, show_error

PAGE_SIZE = 20
AREA = "new_inspection"
_CONFIDENCES = (0.8, 0.9, 0.95, 0.99)
_DEFAULTS = (0.05, 0.1, 0.95)
_COLOURS = {"accept": "green", "reject": "red", "more": "gray"}


def choose() -> None:
    """The form for a new inspection, and the existing inspections."""
    search, since, until = _filters_chosen()
    try:
        newest = cached_inspections.find("", None, None, 0, 1)
        page = _page(search, since, until)
    except ApiError as error:
        show_error(error, rejected="The inspections cannot be listed")
        return
    undo.offer(removed.AREA)
    with st.expander(
        "New inspection",
        expanded=not newest.total or bool(state.action_error(AREA)),
        icon=":material/add:",
    ):
        _new(newest.inspections[0] if newest.total else None)
    if not newest.total:
        empty_state(
            "inventory_2",
            "No inspections yet",
            "Name a lot above and open it. Then photograph its fruits: you see whether to accept "
            "or reject it.",
        )
    else:
        _found(page, search, since, until)
    removed.inspections_removed_lately()


def _found(
    page: InspectionPage, search: str, since: datetime | None, until: datetime | None
) -> None:
    _ask_filters()
    if not page.total:
        st.info(
            "No inspection matches. Type another part of the lot or the supplier, or choose other "
            "days.",
            icon=":material/filter_alt:",
        )
        return
    st.caption(pluralize(page.total, "inspection"))
    for inspection in page.inspections:
        _row(inspection)
    if page.total > PAGE_SIZE:
        st.pagination(-(-page.total // PAGE_SIZE), key=_pager(search, since, until))


def _new(latest: Inspection | None) -> None:
    """The form; it begins with the tolerances of the `latest` inspection."""
    limits = (latest.max_rotten, latest.max_past_best, latest.confidence) if latest else _DEFAULTS
    names = {fruit_and_freshness(name)[0] for name in cached_api.known_classes()}
    with st.form("new_inspection", border=False):
        left, right = st.columns(2)
        lot = left.text_input("Lot", max_chars=120, placeholder="Its number or name")
        supplier = right.text_input("Supplier", max_chars=120)
        kind = left.selectbox(
            "Kind of fruit",
            sorted(names),
            index=None,
            placeholder="Mixed, or choose one",
            format_func=str.capitalize,
            accept_new_options=True,
        )
        confidence = right.selectbox(
            "How sure must the verdict be?",
            sorted({*_CONFIDENCES, limits[2]}),
            index=sorted({*_CONFIDENCES, limits[2]}).index(limits[2]),
            format_func=lots.round_percent,
            help="The surer, the more fruits you photograph. 95 %: of 100 lots with too much rot, "
            "at most 5 are accepted.",
        )
        rotten = left.number_input(
            "Rotten, at most (%)", 0.1, 99.0, 100 * limits[0], 0.5, format="%.1f"
        )
        past_best = right.number_input(
            "Past their best, at most (%)",
            0.1,
            99.0,
            None if limits[1] is None else 100 * limits[1],
            0.5,
            format="%.1f",
            placeholder="Any number",
        )
        if st.form_submit_button("Open the inspection", type="primary", icon=":material/add:"):
            if not lot.strip():
                st.warning("Name the lot first.", icon=":material/edit:")
            else:
                _open(
                    {
                        "lot": lot,
                        "supplier": supplier,
                        "kind": _kind_begun(kind or "", names),
                        "max_rotten": rotten / 100,
                        "max_past_best": past_best / 100 if past_best else None,
                        "confidence": confidence,
                    }
                )
    show_action_error(AREA, "This inspection cannot be opened")


def _kind_begun(typed: str, names: set[str]) -> str:
    """The name that begins with `typed`, if there is only one; else `typed`. See
    `classes_begun`."""
    begun = classes_begun(typed, {name: name for name in names})
    return begun[0] if len(begun) == 1 else typed


def _open(body: dict[str, object]) -> None:
    def action() -> None:
        inspection_state.open_inspection(cached_inspections.client().open(body).id)

    if run_action(AREA, action):
        cached_inspections.clear()
    st.rerun()


def _ask_filters() -> None:
    left, right = st.columns(2)
    left.text_input(
        "Find by lot or supplier",
        key=inspection_state.INSPECTION_SEARCH,
        max_chars=80,
        icon=":material/search:",
        persist_state="session",
    )
    right.date_input(
        "Opened between", value=[], key=inspection_state.INSPECTION_DAYS, persist_state="session"
    )


def _filters_chosen() -> tuple[str, datetime | None, datetime | None]:
    """The chosen filters: a text, the first moment, and the first moment after the range."""
    days: tuple[date, ...] = st.session_state.get(inspection_state.INSPECTION_DAYS) or ()
    search = st.session_state.get(inspection_state.INSPECTION_SEARCH, "").strip()
    if not days:
        return search, None, None
    return search, start_of(days[0]), start_of(days[-1] + timedelta(days=1))


def _page(search: str, since: datetime | None, until: datetime | None) -> InspectionPage:
    load = partial(cached_inspections.find, search, since, until)
    return open_page(_pager(search, since, until), PAGE_SIZE, load)


def _pager(search: str, since: datetime | None, until: datetime | None) -> str:
    """The page buttons; each filter has its own page number."""
    return f"inspections_page_{search}_{since}_{until}"


def _row(inspection: Inspection) -> None:
    opened = format_time(local(inspection.created_at))
    colour = _COLOURS[inspection.verdict.decision]
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap="xsmall"):
            st.subheader(
                f"{as_markdown(lots.title(inspection))} "
                f":{colour}-badge[{lots.decision(inspection)}]",
                anchor=False,
            )
            st.caption(f"{lots.subtitle(inspection, opened)} · {lots.counted(inspection)}")
        st.button(
            "Open",
            key=f"open_{inspection.id}",
            on_click=inspection_state.open_inspection,
            args=(inspection.id,),
            width="content",
            help=f"Open {as_markdown(lots.title(inspection))}",
        )
