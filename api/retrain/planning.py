"""What a run would have to do, for whoever thinks of starting one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from api.blobs import Blobs
from api.registry import repository as registry
from api.registry.store import fetch_package
from api.retrain import repository
from api.retrain.choosing import choose_classes
from api.retrain.errors import NoChampionError
from api.retrain.estimate import corrected, expected_seconds
from api.retrain.news import News, news
from api.retrain.service import Mode


@dataclass(frozen=True)
class Plan:
    """From which version a run would start, what is new to it, and on how many photographs."""

    champion: str
    news: News
    rows: int
    recipe: dict[str, Any]

    @property
    def new(self) -> int:
        return sum(self.news.added.values())


def plan(session: Session, blobs: Blobs, cache: Path, classes: Sequence[str] | None = None) -> Plan:
    """Raises NoChampionError, UnknownClassesError, TooFewClassesError."""
    version = registry.champion(session)
    if version is None:
        raise NoChampionError()
    manifest = registry.model(session, version).manifest
    labels = repository.labels(session)
    choose_classes(manifest["classes"], labels.values(), classes)
    found = news(labels, fetch_package(blobs, version, cache))
    rows = manifest["data"]["files"] + sum(found.added.values()) - found.removed
    return Plan(version, found, rows, manifest["recipe"])


def seconds(session: Session, mode: Mode, planned: Plan) -> float:
    """How long the run would take."""
    expected = expected_seconds(mode, planned.recipe, planned.rows, planned.new)
    return round(corrected(expected, _last(session, mode)), 1)


def _last(session: Session, mode: Mode) -> tuple[float, float] | None:
    """How long the last run of the mode that succeeded took, and was expected to take."""
    run = repository.last_succeeded(session, mode)
    if run is None or run.started_at is None or run.finished_at is None or run.candidate is None:
        return None
    made = registry.known(session, run.candidate)
    if made is None:
        return None
    taken = (run.finished_at - run.started_at).total_seconds()
    manifest = made.manifest
    return taken, expected_seconds(mode, manifest["recipe"], manifest["data"]["files"], 0)
