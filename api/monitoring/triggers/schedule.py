"""A fixed time: each Monday, or each first of the month, at three in the night, in UTC."""

from datetime import datetime, timedelta

from api.monitoring.triggers.rule import Chosen, Reading, Rule, Scene, Schedule

HOUR = 3


def last_due(schedule: Schedule, at: datetime) -> datetime:
    """The newest time at or before `at`, in UTC, at which a weekly or monthly run was due."""
    today = at.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    if schedule == "weekly":
        monday = today - timedelta(days=today.weekday())
        return monday if monday <= at else monday - timedelta(days=7)
    first = today.replace(day=1)
    return first if first <= at else (first - timedelta(days=1)).replace(day=1)


def next_due(schedule: Schedule, at: datetime) -> datetime:
    """The first time after `at` at which one is due."""
    due = last_due(schedule, at)
    # From the first on, 31 days always end in the next month.
    return due + timedelta(days=7) if schedule == "weekly" else _first(due + timedelta(days=31))


def _first(day: datetime) -> datetime:
    return day.replace(day=1)


def _read(scene: Scene, chosen: Chosen) -> Reading:
    if chosen.schedule == "none":
        return Reading(None, False, "No schedule is set.")
    due = last_due(chosen.schedule, scene.at)
    known = [moment for moment in (chosen.last_fired_at, chosen.scheduled_at) if moment]
    # However often it was due while nobody looked, it fires once.
    if known and due > max(known):
        hours = (scene.at - due).total_seconds() / 3600
        return Reading(round(hours, 2), True, f"A retraining was due on {due:%Y-%m-%d %H:%M} UTC.")
    coming = next_due(chosen.schedule, scene.at)
    return Reading(None, False, f"The next one is due on {coming:%Y-%m-%d %H:%M} UTC.")


RULE = Rule(
    name="schedule",
    description="Fires each Monday or each first of the month at 03:00 UTC, as it is set.",
    unit="hours overdue",
    read=_read,
    cooldown_hours=1,
    has_schedule=True,
)
