"""The browser's time zone."""

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def local(moment: datetime) -> datetime:
    """The moment in the browser's time without a zone, which charts and tables show unchanged.

    Returns UTC until the browser has reported its zone.
    """
    return moment.astimezone(_zone()).replace(tzinfo=None)


def start_of(day: date) -> datetime:
    """The first moment of a day in the browser's time, with its zone."""
    return datetime.combine(day, time.min, tzinfo=_zone())


def _zone() -> tzinfo:
    try:
        return ZoneInfo(st.context.timezone or "")
    except (ValueError, ZoneInfoNotFoundError):  # Unknown, or no zone data here.
        minutes_behind = st.context.timezone_offset
    return UTC if minutes_behind is None else timezone(timedelta(minutes=-minutes_behind))
