"""Triggers: what starts a retraining by itself, and setting it."""

from datetime import datetime
from typing import Any, Literal

from answers import Answer
from client import ApiClient

Schedule = Literal["none", "weekly", "monthly"]
# A person is what fires it: there is nothing to see or to set.
MANUAL = "manual"


class Trigger(Answer):
    """One trigger. It fires where `value` is over `threshold`; either may be missing."""

    name: str
    description: str
    unit: str
    value: float | None = None
    threshold: float | None = None
    lowest: float | None = None
    highest: float | None = None
    enabled: bool
    cooldown_hours: float
    schedule: Schedule | None = None
    last_fired_at: datetime | None = None
    last_run_id: str | None = None
    would_fire: bool
    reason: str


class Triggers(Answer):
    triggers: list[Trigger]


def listed(api: ApiClient) -> list[Trigger]:
    """All triggers that can fire by themselves."""
    found = api.call(Triggers, "GET", "/triggers").triggers
    return [trigger for trigger in found if trigger.name != MANUAL]


def change(api: ApiClient, name: str, **settings: Any) -> Trigger:
    """Set any of enabled, threshold, cooldown_hours and schedule; None is the default again."""
    return api.call(Trigger, "PUT", f"/triggers/{name}", json=settings)
