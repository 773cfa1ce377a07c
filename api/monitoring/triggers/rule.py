"""What a trigger is: a name, its defaults, and a function that looks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from api.monitoring.drift.figures import Figure
from api.registry.tables import ModelRow
from api.retrain.news import News

Schedule = Literal["none", "weekly", "monthly"]
NO_SCHEDULE: Schedule = "none"
SCHEDULES: tuple[Schedule, ...] = ("none", "weekly", "monthly")


def read_schedule(stored: str | None) -> Schedule:
    """The schedule that is stored; none where none is, or one that nobody knows."""
    return next((schedule for schedule in SCHEDULES if schedule == stored), NO_SCHEDULE)


@dataclass(frozen=True)
class Chosen:
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
class Scene:
    """What a rule may look at. `drift` and `news` are worked out when they are called.

    `news` is what the catalog has that the champion has not learned.
    """

    session: Session
    champion: ModelRow
    drift: Callable[[], Sequence[Figure]]
    news: Callable[[], News]
    at: datetime


@dataclass(frozen=True)
class Reading:
    """What a rule found. `met` is whether it asks for a retraining; `sentence` says what it saw.

    `value` is None where there is nothing to measure, or not enough.
    """

    value: float | None
    met: bool
    sentence: str


@dataclass(frozen=True)
class Rule:
    """One trigger. `lowest` and `highest` bound its threshold; None: it has no threshold."""

    name: str
    description: str
    unit: str
    read: Callable[[Scene, Chosen], Reading]
    threshold: float | None = None
    lowest: float = 0.0
    highest: float = 0.0
    cooldown_hours: float = 24.0
    has_schedule: bool = False
    is_automatic: bool = True
