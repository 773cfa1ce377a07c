"""The triggers: small rules that start a retraining.

A rule looks at a TriggerContext and gives a TriggerResult. RULES holds each once, in the order in
which they are asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from api.core.formatting import percent
from api.monitoring.drift import DriftFigure
from api.predictions.feedback_repository import newest_feedback
from api.registry.metric_summary import headlines
from api.retraining.plan import CatalogDiff
from api.storage.tables import ModelRow

Schedule = Literal["none", "weekly", "monthly"]
SCHEDULES: tuple[Schedule, ...] = ("none", "weekly", "monthly")


def read_schedule(stored: str | None) -> Schedule:
    """The schedule that is stored; none where none is, or one that nobody knows."""
    return next((schedule for schedule in SCHEDULES if schedule == stored), "none")


@dataclass(frozen=True)
class TriggerConfig:
    """What applies to a trigger: its defaults, or what people set in their place.

    `cooldown_hours` is the least time between two firings; `scheduled_at` is when the schedule was
    set.
    """

    enabled: bool
    threshold: float | None
    cooldown_hours: float
    schedule: Schedule
    scheduled_at: datetime | None
    last_fired_at: datetime | None
    last_run_id: str | None

    def passed(self, value: float) -> bool:
        """Whether a value lies over the threshold."""
        return self.threshold is not None and value > self.threshold


@dataclass(frozen=True)
class TriggerContext:
    """What a rule may look at. `drift` and `catalog_diff` are worked out when they are called.

    `catalog_diff` is what the catalog has that the champion has not learned.
    """

    session: Session
    champion: ModelRow
    drift: Callable[[], Sequence[DriftFigure]]
    catalog_diff: Callable[[], CatalogDiff]
    at: datetime


@dataclass(frozen=True)
class TriggerResult:
    """What a rule found. `met` is whether it asks for a retraining; `sentence` says what it saw.

    `value` is None where there is nothing to measure, or not enough.
    """

    sentence: str
    value: float | None = None
    met: bool = False


@dataclass(frozen=True)
class Rule:
    """One trigger. `lowest` and `highest` bound its threshold; None: it has no threshold."""

    name: str
    description: str
    unit: str
    read: Callable[[TriggerContext, TriggerConfig], TriggerResult]
    threshold: float | None = None
    lowest: float = 0.0
    highest: float = 0.0
    cooldown_hours: float = 24.0
    has_schedule: bool = False
    is_automatic: bool = True


# Fewer words say little; older ones than these are of another time.
ENOUGH_FEEDBACK = 30
NEWEST_FEEDBACK = 200


def _accuracy(context: TriggerContext, config: TriggerConfig) -> TriggerResult:
    honest = headlines(context.champion.manifest).accuracy
    if honest is None:
        return TriggerResult("The serving version was not measured on held-out photographs.")
    words = newest_feedback(context.session, context.champion.version, NEWEST_FEEDBACK)
    if len(words) < ENOUGH_FEEDBACK:
        return TriggerResult(
            f"{len(words)} words of feedback on this version yet; {ENOUGH_FEEDBACK} are needed."
        )
    accuracy = sum(words) / len(words)
    fall = round((honest - accuracy) * 100, 2)
    sentence = (
        f"{percent(accuracy)} right by the newest {len(words)} words of feedback; "
        f"{percent(honest)} on the test photographs."
    )
    return TriggerResult(sentence, fall, config.passed(fall))


ACCURACY = Rule(
    name="accuracy",
    description=(
        "Fires when accuracy on feedback lies more than so many points below the accuracy on test "
        "photographs. People correct more readily than they agree, so feedback looks worse than "
        "the model is."
    ),
    unit="points",
    read=_accuracy,
    threshold=5,
    lowest=0.5,
    highest=100,
)


def _drift(context: TriggerContext, config: TriggerConfig) -> TriggerResult:
    times = [
        (figure.value / figure.threshold, figure.sentence)
        for figure in context.drift()
        if figure.value is not None and figure.threshold
    ]
    if not times:
        return TriggerResult("There are too few predictions yet to tell.")
    most, sentence = max(times)
    return TriggerResult(sentence, round(most, 3), config.passed(most))


DRIFT = Rule(
    name="drift",
    description=(
        "Fires when the inputs drift: when embeddings, confidence or class mix of the newest "
        "predictions is more than so many times its own threshold."
    ),
    unit="times the figure's own threshold",
    read=_drift,
    threshold=1,
    lowest=0.1,
    highest=100,
)


def _new_images(context: TriggerContext, config: TriggerConfig) -> TriggerResult:
    count = sum(context.catalog_diff().added.values())
    sentence = f"There are {count} training images that the serving version has not learned."
    return TriggerResult(sentence, count, config.passed(count))


NEW_IMAGES = Rule(
    name="new-images",
    description="Fires when there are more images than this that the serving version has not seen.",
    unit="images",
    read=_new_images,
    threshold=1000,
    lowest=1,
    highest=1_000_000,
)

SCHEDULE_HOUR = 3


def last_due(schedule: Schedule, at: datetime) -> datetime:
    """The newest time at or before `at`, in UTC, at which a weekly or monthly run was due."""
    today = at.replace(hour=SCHEDULE_HOUR, minute=0, second=0, microsecond=0)
    if schedule == "weekly":
        monday = today - timedelta(days=today.weekday())
        return monday if monday <= at else monday - timedelta(days=7)
    first = today.replace(day=1)
    return first if first <= at else (first - timedelta(days=1)).replace(day=1)


def next_due(schedule: Schedule, at: datetime) -> datetime:
    """The first time after `at` at which one is due."""
    due = last_due(schedule, at)
    if schedule == "weekly":
        return due + timedelta(days=7)
    # From the first on, 31 days always end in the next month.
    return (due + timedelta(days=31)).replace(day=1)


def _schedule(context: TriggerContext, config: TriggerConfig) -> TriggerResult:
    if config.schedule == "none":
        return TriggerResult("No schedule is set.")
    due = last_due(config.schedule, context.at)
    known = [moment for moment in (config.last_fired_at, config.scheduled_at) if moment]
    # However often it was due while nobody looked, it fires once.
    if known and due > max(known):
        hours = (context.at - due).total_seconds() / 3600
        sentence = f"A retraining was due on {due:%Y-%m-%d %H:%M} UTC."
        return TriggerResult(sentence, round(hours, 2), met=True)
    coming = next_due(config.schedule, context.at)
    return TriggerResult(f"The next one is due on {coming:%Y-%m-%d %H:%M} UTC.")


SCHEDULE = Rule(
    name="schedule",
    description="Fires each Monday or each first of the month at 03:00 UTC, as it is set.",
    unit="hours overdue",
    read=_schedule,
    cooldown_hours=1,
    has_schedule=True,
)


def _manual(_scene: TriggerContext, _chosen: TriggerConfig) -> TriggerResult:
    return TriggerResult("POST /retrain starts a retraining at any time.")


MANUAL = Rule(
    name="manual",
    description="Never fires by itself: a person starts a retraining with POST /retrain.",
    unit="",
    read=_manual,
    cooldown_hours=0,
    is_automatic=False,
)

RULES: dict[str, Rule] = {
    rule.name: rule for rule in (ACCURACY, DRIFT, NEW_IMAGES, SCHEDULE, MANUAL)
}
