"""Moments in the time of the person at the screen."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def local(moment: datetime) -> datetime:
    """The moment on the clock of the browser, without a zone, which charts and tables show as is.

    In UTC while the browser has not told where it is.
    """
    return moment.astimezone(_zone()).replace(tzinfo=None)


def _zone() -> tzinfo:
    try:
        return ZoneInfo(st.context.timezone or "")
    except (ValueError, ZoneInfoNotFoundError):  # Unknown, or no zones on this machine.
        behind = st.context.timezone_offset
    return UTC if behind is None else timezone(timedelta(minutes=-behind))
