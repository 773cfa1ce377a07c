"""The report of an inspection, to download and send."""

import re
from functools import partial

import cached_api
import streamlit as st
from api_models import Inspection
from inspection_client import InspectionClient, ReportKind

_KINDS: dict[ReportKind, tuple[str, str]] = {
    "pdf": ("PDF with pictures", "application/pdf"),
    "xlsx": (
        "Excel (XLSX)",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
}


def report(inspection: Inspection) -> None:
    """A button for each kind of file; it is made when it is clicked."""
    st.subheader("Report", anchor=False)
    client = InspectionClient(cached_api.api())
    with st.container(horizontal=True, key="reports"):
        for kind, (label, media_type) in _KINDS.items():
            st.download_button(
                label,
                partial(client.report, inspection.id, kind),
                f"{_name(inspection)}.{kind}",
                media_type,
                key=f"report_{kind}",
                on_click="ignore",
                icon=":material/download:",
            )


def _name(inspection: Inspection) -> str:
    """A file name that every system takes: "inspection-A-17"."""
    lot = re.sub(r"[^\w]+", "-", inspection.lot).strip("-")
    return f"inspection-{lot}" if lot else "inspection"
