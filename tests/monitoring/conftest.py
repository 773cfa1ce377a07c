"""Triggers under a test's control, on both databases."""

from collections.abc import Callable
from pathlib import Path

import pytest

from api.settings import Settings, TriggerMode
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.monitoring.trigger_harness import TriggerHarness

MakeHarness = Callable[[TriggerMode], TriggerHarness]


@pytest.fixture
def make_harness(
    database: Database,
    blobs: Blobs,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> MakeHarness:
    """Makes the triggers, with the given mode for those that nobody has set."""

    def make(mode: TriggerMode) -> TriggerHarness:
        own = settings.model_copy(update={"state_dir": tmp_path})
        harness = TriggerHarness(database, blobs, own, mode)
        harness.control(monkeypatch)
        return harness

    return make
