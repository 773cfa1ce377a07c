"""The open inspection: its verdict, adding photos, its fruits and photos, its report."""

import re
from functools import partial

import cached_inspections
import inspection_state
import lots
import streamlit as st
from api_models import Inspection
from errors import ApiError
from formatting import format_time
from plain_text import as_markdown
from timezone import local

from components import undo
from components.display import excel_button
from components.inspections import removed
from components.inspections.add_photos import add_photos
from components.inspections.fruits import all_photos, open_fruit, worst_fruits
from components.inspections.photos import open_photo, photo_list, same_fruits
from components.inspections.verdict import verdict
from components.messages import run_action, show_action_error, show_error

AREA = "lot"
_NOT_FOUND = "inspection-not-found"


def lot(inspection_id: str) -> None:
    """The page of an inspection, or why it cannot be shown."""
    st.button(
        "All inspections",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=inspection_state.open_inspection,
    )
    if inspection_state.has_new_photos():
        cached_inspections.clear()
    try:
        inspection = cached_inspections.get(inspection_id)
    except ApiError as error:
        st.title("Inspections", anchor=False)
        if error.code == _NOT_FOUND:
            st.info(
                "This inspection was deleted. Go back to all inspections, and open another.",
                icon=":material/delete:",
            )
        else:
            show_error(error, rejected="This inspection cannot be shown")
        return
    st.title(as_markdown(lots.title(inspection)), anchor=False)
    opened = format_time(local(inspection.created_at))
    st.caption(lots.subtitle(inspection, opened))
    try:
        _lot(inspection)
    except ApiError as error:
        show_error(error, rejected="This inspection cannot be shown")


def _lot(inspection: Inspection) -> None:
    # There must always be exactly one element here: a live camera stops if its position on the page
    # changes.
    with st.container():
        verdict(inspection)
        if inspection.same_asked:
            same_fruits(inspection)
    with st.container(border=True, key="add-photos"):
        add_photos(inspection.id)
    if inspection.photos:
        st.subheader("Fruits, worst first", anchor=False)
        worst_fruits(inspection)
        st.subheader("Photos", anchor=False)
    undo.offer(removed.area_of(inspection.id))
    if inspection.photos:
        photo_list(inspection)
    removed.photos_removed_lately(inspection)
    if inspection.photos:
        _report(inspection)
    _opened(inspection)
    _delete(inspection)


def _report(inspection: Inspection) -> None:
    """The report to download and send; each kind of file is made on the click."""
    st.subheader("Report", anchor=False)
    client = cached_inspections.client()
    with st.container(horizontal=True, key="reports"):
        st.download_button(
            "PDF with photos",
            partial(client.report, inspection.id, "pdf"),
            f"{_report_name(inspection)}.pdf",
            "application/pdf",
            key="report_pdf",
            on_click="ignore",
            icon=":material/download:",
        )
        excel_button(
            partial(client.report, inspection.id, "xlsx"), _report_name(inspection), "report_xlsx"
        )


def _report_name(inspection: Inspection) -> str:
    """A file name that is valid on every system: "inspection-A-17"."""
    lot = re.sub(r"[^\w]+", "-", inspection.lot).strip("-")
    return f"inspection-{lot}" if lot else "inspection"


def _opened(inspection: Inspection) -> None:
    """The dialog for the photo or fruit that was tapped."""
    opened = inspection_state.opened_in_lot()
    if opened is None:
        return
    photo_id, number = opened
    photo = all_photos(inspection).get(photo_id)
    if photo is None:
        inspection_state.open_in_lot()
        return
    fruit = next((one for one in photo.fruits if one.number == number), None)
    if fruit:
        open_fruit(inspection, photo, fruit)
    else:
        open_photo(inspection, photo)


def _delete(inspection: Inspection) -> None:
    with st.popover("Delete this inspection", icon=":material/delete:", type="tertiary"):
        lost = "The inspection and its photos are deleted for good."
        if removed.confirm(removed.kept_days, "Delete", lost):
            if run_action(AREA, partial(removed.delete_inspection, inspection)):
                inspection_state.open_inspection()
            st.rerun()
        st.caption("What the model learned from your corrections stays.")
    show_action_error(AREA, "This inspection cannot be deleted")
