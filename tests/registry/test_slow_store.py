"""If the store fails or hangs while an API process starts, it serves what this machine has."""

from pathlib import Path

import pytest

from api.predictions.state import AppState
from api.registry.model_reloader import RETRY_SECONDS, ModelReloader
from api.registry.store import stored_versions
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.failures import StoreError
from tests.registry.test_model_reloader import Clock, serving
from tests.registry.test_model_reloader import own as own  # noqa: PLC0414 - a fixture
from tests.registry.test_model_reloader import state as state  # noqa: PLC0414 - a fixture
from tests.registry.versions import a_servable_package
from tests.small_grader import VERSION as SMALL


@pytest.fixture
def started_before(own: Settings, state: AppState) -> None:
    """The shipped version is in the catalog and the store, and in use."""
    ModelReloader(own, state).start()
    assert stored_versions(state.blobs) == [SMALL]
    state.predictor = None


@pytest.mark.usefixtures("started_before")
def test_start_asks_the_store_for_nothing(
    own: Settings, state: AppState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hanging bucket would take minutes to fail."""
    asked: list[str] = []
    exists = Blobs.exists

    def watched(blobs: Blobs, key: str) -> bool:
        asked.append(key)
        return exists(blobs, key)

    monkeypatch.setattr(Blobs, "exists", watched)
    reloader = ModelReloader(own, state)
    reloader.start()
    assert serving(state) == SMALL
    assert asked == []
    reloader.poll()
    assert asked == [f"models/{SMALL}/manifest.json"]


@pytest.mark.usefixtures("started_before")
def test_newer_shipped_version_is_registered_once_the_store_works(
    own: Settings, state: AppState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, newer = Clock(), a_servable_package(tmp_path, "newer")
    reloader = ModelReloader(own.model_copy(update={"model_dir": newer}), state, clock)

    def fail(_blobs: Blobs, key: str) -> bool:
        raise StoreError(None, "cannot be reached", key)

    reloader.start()
    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "exists", fail)
        reloader.poll()
    assert stored_versions(state.blobs) == [SMALL]
    clock.seconds += RETRY_SECONDS
    reloader.poll()
    assert stored_versions(state.blobs) == [SMALL, "newer"]
    assert serving(state) == SMALL
