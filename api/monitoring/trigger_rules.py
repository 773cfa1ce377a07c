"""The rules of the triggers that start a retraining. RULES is in the order of evaluation.

A run that failed or was interrupted has learned no photos, and its cause may pass: memory, the
store or the worker was gone. So it is tried again, but not for ever.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.core.formatting import percent
from api.monitoring.drift import DriftFigure
from api.predictions.accuracy_in_use import accuracy_in_use
from api.registry.schemas import Headlines
from api.retraining.plan import CatalogDiff
from api.settings import TriggerMode
from api.storage.tables.models import ModelRow, RunRow
from api.storage.tables.triggers import TriggerRow

Schedule = Literal["none", "weekly", "monthly"]
SCHEDULES: tuple[Schedule, ...] = ("none", "weekly", "monthly")
# Consecutive runs of a trigger without a result, after which it waits for other photos.
MAX_ATTEMPTS = 3


def read_schedule(stored: str | None) -> Schedule:
    """The stored schedule; "none" if it is null or unknown."""
    return next((schedule for schedule in SCHEDULES if schedule == stored), "none")


@dataclass(frozen=True)
class TriggerConfig:
    """The effective settings of a trigger: defaults, or user settings.

    `cooldown_hours` is the minimum time between two runs it starts; due times of the schedule
    before `scheduled_at` do not count. `last_photos` and `attempts`: as in `TriggerRow`.
    `lacks_result`: whether its last run failed or was interrupted.
    """

    mode: TriggerMode
    threshold: float | None
    cooldown_hours: float
    schedule: Schedule
    scheduled_at: datetime | None
    last_fired_at: datetime | None
    last_run_id: str | None
    last_photos: str | None
    attempts: int
    lacks_result: bool

    @property
    def is_to_repeat(self) -> bool:
        """Whether its last run is started again, even on the same photos."""
        return self.lacks_result and self.attempts < MAX_ATTEMPTS

    def has_had(self, photos: str) -> bool:
        """Whether its last run had the same `photos`, so that another would end the same way."""
        return bool(photos) and photos == self.last_photos and not self.is_to_repeat

    def is_exceeded_by(self, value: float) -> bool:
        return self.threshold is not None and value > self.threshold


@dataclass(frozen=True)
class TriggerContext:
    """Input of a rule. `catalog_diff`: changes of the catalog since the champion was trained.

    `drift` and `catalog_diff` are None if they cannot be computed; `problem` says why the latter
    cannot. `photos`: those that a run would have, see `RetrainPlan.photos`; empty if unknown.
    """

    session: Session
    champion: ModelRow
    drift: Sequence[DriftFigure] | None
    catalog_diff: CatalogDiff | None
    at: datetime
    photos: str = ""
    problem: str = ""


@dataclass(frozen=True)
class TriggerResult:
    """Result of a rule. `met`: whether it wants a retraining. `sentence`: what it measured.

    `value` is None if there is nothing, or not enough, to measure.
    """

    sentence: str
    value: float | None = None
    met: bool = False


@dataclass(frozen=True)
class Rule:
    """One trigger. `lowest` and `highest` bound its threshold, None if it has none."""

    name: str
    description: str
    unit: str
    evaluate: Callable[[TriggerContext, TriggerConfig], TriggerResult]
    threshold: float | None = None
    lowest: float = 0.0
    highest: float = 0.0
    cooldown_hours: float = 24.0
    has_schedule: bool = False
    is_automatic: bool = True


MIN_ANSWERS = 30


def _accuracy(context: TriggerContext, config: TriggerConfig) -> TriggerResult:
    test_accuracy = Headlines.of(context.champion.manifest).accuracy
    if test_accuracy is None:
        return TriggerResult("The current version has no metrics on held-out photos.")
    in_use = accuracy_in_use(context.session, context.champion.version, test_accuracy)
    if in_use.accuracy is None or in_use.answered < MIN_ANSWERS:
        return TriggerResult(
            f"{in_use.answered} of the randomly drawn predictions of this version are answered in "
            f"the review queue; {MIN_ANSWERS} are needed."
        )
    drop = round((test_accuracy - in_use.accuracy) * 100, 2)
    sentence = (
        f"{percent(in_use.accuracy)} correct of {in_use.answered} randomly drawn predictions; "
        f"{percent(test_accuracy)} on the test photos."
    )
    if drop > 0 and not in_use.below_held_out:
        sentence += " The difference may be chance."
    return TriggerResult(sentence, drop, config.is_exceeded_by(drop) and in_use.below_held_out)


ACCURACY = Rule(
    name="accuracy",
    description=(
        "Due when the accuracy in use is below the accuracy on the test photos by "
        "more than the threshold, and by more than chance. Only reviews of randomly drawn "
        "predictions count; the review queue asks for those first."
    ),
    unit="points",
    evaluate=_accuracy,
    threshold=5,
    lowest=0.5,
    highest=100,
)


def _drift(context: TriggerContext, config: TriggerConfig) -> TriggerResult:
    if context.drift is None:
        return TriggerResult("The drift is unknown. The service log says why.")
    ratios = [
        (metric.value / metric.threshold, metric.sentence)
        for metric in context.drift
        if metric.value is not None and metric.threshold
    ]
    if not ratios:
        return TriggerResult("There are too few predictions yet.")
    highest, sentence = max(ratios)
    return TriggerResult(sentence, round(highest, 3), config.is_exceeded_by(highest))


DRIFT = Rule(
    name="drift",
    description=(
        "Due when the drift of embeddings, confidence or class mix exceeds its own "
        "limit times the threshold."
    ),
    unit="times the figure's own threshold",
    evaluate=_drift,
    threshold=1,
    lowest=0.1,
    highest=100,
)


def _new_images(context: TriggerContext, config: TriggerConfig) -> TriggerResult:
    if context.catalog_diff is None:
        return TriggerResult(f"How many training images are new is unknown: {context.problem}")
    count = sum(context.catalog_diff.added.values())
    sentence = f"{count} training images are new since the current version."
    return TriggerResult(sentence, count, config.is_exceeded_by(count))


NEW_IMAGES = Rule(
    name="new-images",
    description="Due when the number of images added since the current version was made exceeds "
    "the threshold.",
    unit="images",
    evaluate=_new_images,
    threshold=1000,
    lowest=1,
    highest=1_000_000,
)

SCHEDULE_HOUR = 3
# Workers' clocks differ by less; a time further ahead was recorded while a clock was wrong.
CLOCK_TOLERANCE = timedelta(hours=1)


def last_due(schedule: Schedule, at: datetime) -> datetime:
    """The last time, at or before `at` (UTC), at which a weekly or monthly run was due."""
    # Before that hour it is still the day before.
    day = (at - timedelta(hours=SCHEDULE_HOUR)).replace(
        hour=SCHEDULE_HOUR, minute=0, second=0, microsecond=0
    )
    return day - timedelta(days=day.weekday()) if schedule == "weekly" else day.replace(day=1)


def next_due(schedule: Schedule, at: datetime) -> datetime:
    """The first time after `at` at which a run is due."""
    due = last_due(schedule, at)
    if schedule == "weekly":
        return due + timedelta(days=7)
    # `due` is the first of a month, and 31 days later is always in the next one.
    return (due + timedelta(days=31)).replace(day=1)


def _schedule(context: TriggerContext, config: TriggerConfig) -> TriggerResult:
    if config.schedule == "none":
        return TriggerResult("No schedule is set.")
    due = last_due(config.schedule, context.at)
    moments = [moment for moment in (config.last_fired_at, config.scheduled_at) if moment]
    handled = [
        moment
        for moment in (None if config.is_to_repeat else config.last_fired_at, config.scheduled_at)
        if moment and moment <= context.at + CLOCK_TOLERANCE
    ]
    # Several missed due times start one run.
    if moments and (not handled or due > max(handled)):
        hours = (context.at - due).total_seconds() / 3600
        sentence = f"A retraining was due on {due:%Y-%m-%d %H:%M} UTC."
        return TriggerResult(sentence, round(hours, 2), met=True)
    due = next_due(config.schedule, context.at)
    return TriggerResult(f"The next one is due on {due:%Y-%m-%d %H:%M} UTC.")


SCHEDULE = Rule(
    name="schedule",
    description="Due every Monday, or on the first day of every month, at 03:00 UTC.",
    unit="hours overdue",
    evaluate=_schedule,
    cooldown_hours=1,
    has_schedule=True,
)


MANUAL = Rule(
    name="manual",
    description="Never due by itself: start a run at any time with POST /retrain.",
    unit="",
    evaluate=lambda _context, _config: TriggerResult(
        "POST /retrain starts a retraining at any time."
    ),
    cooldown_hours=0,
    is_automatic=False,
)

RULES: dict[str, Rule] = {
    rule.name: rule for rule in (ACCURACY, DRIFT, NEW_IMAGES, SCHEDULE, MANUAL)
}


def ended_without_result(session: Session, trigger: TriggerRow) -> bool:
    """Whether the trigger's last run failed or was interrupted, and no run has succeeded since."""
    run = session.get(RunRow, trigger.last_run_id) if trigger.last_run_id else None
    if run is None or run.state not in ("failed", "interrupted"):
        return False
    later = select(RunRow.id).where(RunRow.state == "succeeded", RunRow.number > run.number)
    return session.scalars(later.limit(1)).first() is None


def record_run(
    session: Session, trigger: TriggerRow, run: RunRow, photos: str | None, at: datetime
) -> None:
    """Note a new run on the locked row of its trigger. `photos`: as in `RetrainPlan.photos`."""
    goes_on = trigger.attempts < MAX_ATTEMPTS or photos == trigger.last_photos
    is_repeated = goes_on and ended_without_result(session, trigger)
    trigger.attempts = trigger.attempts + 1 if is_repeated else 1
    trigger.last_fired_at, trigger.last_run_id, trigger.last_photos = at, run.id, photos
