"""Inputs of the trigger rules."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from api.monitoring.drift import DriftFigure
from api.monitoring.trigger_rules import Rule, TriggerConfig, TriggerContext
from api.monitoring.triggers import config_of
from api.predictions import feedback_repository as feedback
from api.predictions.recorder import add_predictions
from api.retraining.plan import CatalogDiff
from api.storage.db import Database
from api.storage.tables.models import ModelRow
from api.storage.tables.triggers import TriggerRow
from tests.predictions.samples import a_record

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)  # A Saturday.
SOMETHING = CatalogDiff({"pears": 3}, 0, 0)
NOTHING = CatalogDiff({}, 0, 0)


def a_champion(accuracy: float | None = 0.95, version: str = "v1") -> ModelRow:
    scores = {} if accuracy is None else {"test_by_photograph": {"accuracy": accuracy}}
    return ModelRow(
        version=version, created_at=AT - timedelta(days=30), manifest={"metrics": scores}
    )


def a_context(
    session: Session,
    *,
    champion: ModelRow | None = None,
    drift: Sequence[DriftFigure] | None = (),
    catalog_diff: CatalogDiff | None = SOMETHING,
    at: datetime = AT,
    photos: str = "",
) -> TriggerContext:
    model = champion or a_champion()
    return TriggerContext(session, model, drift, catalog_diff, at, photos)


def a_config(rule: Rule, **stored: Any) -> TriggerConfig:
    """The configuration of a trigger that has had no run."""
    return config_of(Session(), rule, TriggerRow(name=rule.name, **stored), "suggest")


def a_metric(value: float | None, threshold: float | None = 0.25, name: str = "x") -> DriftFigure:
    return DriftFigure(
        name=name,
        value=value,
        threshold=threshold,
        sample_size=100,
        reference_size=200,
        enough=value is not None,
        drifted=value is not None and threshold is not None and value > threshold,
        sentence=f"About {name}.",
        since=AT,
    )


def add_answers(
    database: Database, right: int, wrong: int, version: str = "v1", *, sampled: bool = True
) -> None:
    """Record `right` correct and `wrong` incorrect predictions of a version, with answers. They
    belong to the random sample, or else are unasked feedback.
    """
    answers = {uuid4().hex: correct for correct in [True] * right + [False] * wrong}
    records = [a_record(model_version=version, id=name) for name in answers]
    add_predictions(database, [record.row(None, sampled=sampled) for record in records])
    with database.session() as session:
        for name, correct in answers.items():
            feedback.put(session, name, "freshapples", correct, None, asked=sampled)
