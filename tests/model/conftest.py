"""Fixtures of the model's tests."""

import pytest

from tests.waiting import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def _no_batch_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch ends after a hundredth of a second, which passes while a test waits for a core."""
    monkeypatch.setattr("api.model.predictor.MAX_BATCH_SECONDS", PATIENCE_SECONDS)
