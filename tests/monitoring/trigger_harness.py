"""A catalog whose trigger rules evaluate values chosen by the test."""

from datetime import datetime

import pytest
from sqlalchemy import select

from api.monitoring import triggers
from api.monitoring.trigger_check import check_triggers
from api.monitoring.triggers import TriggerState, change_settings, trigger_states
from api.retraining import service as runs
from api.retraining.plan import CatalogDiff
from api.settings import Settings, TriggerMode
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.models import RunRow
from tests.monitoring.samples import AT, SOMETHING, a_champion, a_context


class TriggerHarness:
    """Triggers that nobody has set have this `mode`."""

    def __init__(
        self, database: Database, blobs: Blobs, settings: Settings, mode: TriggerMode
    ) -> None:
        settings = settings.model_copy(update={"trigger_mode": mode})
        self.database, self.blobs, self.settings = database, blobs, settings
        self.champion, self.photos = a_champion(), ""
        self.catalog_diff: CatalogDiff | None = SOMETHING

    def check(self, at: datetime = AT) -> RunRow | None:
        return check_triggers(self.database, self.blobs, self.settings, at)

    def states(self, at: datetime = AT) -> dict[str, TriggerState]:
        with self.database.reading() as session:
            states = trigger_states(session, self.settings, self.blobs, at)
        return {state.rule.name: state for state in states}

    def set(self, name: str, at: datetime = AT, **settings: object) -> None:
        with self.database.session() as session:
            change_settings(session, name, settings, self.settings.trigger_mode, at)

    def end_run(self, state: str = "succeeded") -> None:
        with self.database.session() as session:
            for run in session.scalars(select(RunRow)):
                runs.end(run, state, "")

    @property
    def runs(self) -> list[RunRow]:
        with self.database.reading() as session:
            return list(session.scalars(select(RunRow).order_by(RunRow.created_at)))

    def control(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the rules evaluate `champion`, `catalog_diff` and `photos`."""
        monkeypatch.setattr(
            triggers,
            "_context",
            lambda session, *rest: a_context(
                session,
                champion=self.champion,
                catalog_diff=self.catalog_diff,
                at=rest[-1],
                photos=self.photos,
            ),
        )
