"""The history: searches, and its rows in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from api_models import HistoryItem, Prediction
from formatting import class_label, format_time, percent, short_grade
from fruits import headline
from timezone import local

Order = Literal["newest", "oldest", "least_sure"]
# No class has such a name.
ALL, NOT_KNOWN, DISMISSED = "*all", "*unknown", "*dismissed"


@dataclass(frozen=True)
class Search:
    """A search of the history.

    `shows` is a class, ALL, NOT_KNOWN or DISMISSED; `low` and `high` bound the confidence in
    percent; `until` is not included.
    """

    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    shows: str = ALL
    level: str | None = None
    low: int = 0
    high: int = 100
    batch_id: str | None = None
    order: Order = "newest"

    def params(self) -> dict[str, Any]:
        """The query of `GET /predictions`."""
        bounded = self.low > 0 or self.high < 100
        is_class = self.shows not in (ALL, NOT_KNOWN, DISMISSED)
        params = {
            "search": self.text or None,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "class_name": self.shows if is_class else None,
            "level": self.level,
            "at_least": self.low / 100 if self.low > 0 else None,
            "below": self.high / 100 if self.high < 100 else None,
            "batch_id": self.batch_id,
            "order": self.order,
        }
        if self.shows == NOT_KNOWN:
            params["recognised"] = "false"
        elif is_class or self.level or bounded:
            # An unrecognised photo has a class and a confidence too, but they mean nothing.
            params["recognised"] = "true"
        if self.shows == DISMISSED:
            params["dismissed"] = "true"
        elif self.shows != ALL or self.order == "least_sure":
            params["dismissed"] = "false"
        return {name: value for name, value in params.items() if value is not None}


def as_prediction(item: HistoryItem) -> Prediction:
    """The prediction as the API first returned it."""
    values = item.model_dump(include=set(Prediction.model_fields))
    return Prediction.model_validate({**values, "prediction": item.predicted_class})


def grade(item: HistoryItem) -> str:
    """ "Fresh apple", "5 fruits: 1 rotten, 4 fresh" or "Not known"."""
    prediction = as_prediction(item)
    return headline(prediction) if item.several else short_grade(prediction)


def details(item: HistoryItem) -> str:
    """How sure, when, and of which lot."""
    sure = item.recognised and not item.several
    parts = [
        f"{percent(item.confidence)} sure" if sure else "",
        format_time(local(item.timestamp)),
        f"lot {item.lot}" if item.lot else "",
    ]
    return " · ".join(part for part in parts if part)


def said(item: HistoryItem) -> str:
    """A person's feedback in words; empty if there is none."""
    if item.dismissed_at:
        return "Not a fruit"
    if item.label is None:
        return ""
    return "Right" if item.label == item.predicted_class else f"It is: {class_label(item.label)}"
