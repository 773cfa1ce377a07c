"""The report of an inspection, to download and send."""

import re
from functools import partial

import cached_api
import streamlit as st
from api_models import Inspection
from inspection_client import InspectionClient

from components.display import excel_button


def report(inspection: Inspection) -> None:
    """A button for each kind of file, which is made on the click."""
    st.subheader("Report", anchor=False)
    client = InspectionClient(cached_api.api())
    with st.container(horizontal=True, key="reports"):
        st.download_button(
            "PDF with photos",
            partial(client.report, inspection.id, "pdf"),
            f"{_name(inspection)}.pdf",
            "application/pdf",
            key="report_pdf",
            on_click="ignore",
            icon=":material/download:",
        )
        excel_button(
            partial(client.report, inspection.id, "xlsx"), _name(inspection), "report_xlsx"
        )


def _name(inspection: Inspection) -> str:
    """A file name that is valid on every system: "inspection-A-17"."""
    lot = re.sub(r"[^\w]+", "-", inspection.lot).strip("-")
    return f"inspection-{lot}" if lot else "inspection"
