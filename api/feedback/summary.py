"""How often people said that the grader was right."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from api.db import now
from api.feedback import repository
from api.feedback.repository import Tally


@dataclass(frozen=True)
class Summary:
    """All words, those of the last days, and all by right class and by version."""

    all: Tally
    recent: Tally
    by_class: list[Tally]
    by_version: list[Tally]


def summarise(session: Session, days: float) -> Summary:
    (every,) = repository.tallies(session)
    (recent,) = repository.tallies(session, since=now() - timedelta(days=days))
    return Summary(
        all=every,
        recent=recent,
        by_class=repository.tallies(session, by="label"),
        by_version=repository.tallies(session, by="model_version"),
    )
