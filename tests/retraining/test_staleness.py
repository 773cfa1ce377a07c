"""Each run evaluates the stored versions on photos held out from the new one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.model.backbone import open_backbone
from api.model.engines.choice import CompiledGraph
from api.model.package import REPLAY, Package, load_package
from api.model.replay_buffer import ReplayBuffer
from api.registry import repository as registry
from api.registry import store
from api.retraining import staleness
from api.settings import EngineName, Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.models import RunRow
from tests.retraining.catalog import KNOWN, NEW, SMALL, Run, add_photographs, write_champion
from tests.small_grader import write_small_grader

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def graded(run: RunRow) -> Sequence[dict[str, Any]]:
    assert run.state == "succeeded", run.message
    assert run.verdict is not None
    versions: list[dict[str, Any]] = run.verdict["figures"]["kept_versions"]
    return versions


def test_classes_unknown_to_an_old_version_count_as_wrong(
    run: Run, own: Settings, database: Database, blobs: Blobs, champion: str
) -> None:
    add_photographs(database, blobs, NEW, 60)

    newest, before = graded(finished := run())

    assert (newest["version"], before["version"]) == (finished.candidate, champion)
    folder = store.fetch_package(blobs, newest["version"], own.model_cache).folder
    replay = ReplayBuffer.load(folder / REPLAY)
    held_out = replay.splits == "test"
    new = (held_out & (replay.targets.argmax(axis=1) == len(KNOWN))).sum()
    assert newest["photographs"] == before["photographs"] == held_out.sum() > new > 0
    assert newest["accuracy"] == newest["accuracy_of_newest"] == before["accuracy_of_newest"] > 0.9
    known = held_out.sum() - new
    assert 0.9 * known <= before["accuracy"] * held_out.sum() <= known


def test_version_with_another_network_sees_the_photos_of_the_catalog(
    run: Run, database: Database, blobs: Blobs, champion: str, tmp_path: Path
) -> None:
    # The same graph in other bytes, and a network with fewer channels.
    same_graph = write_champion(tmp_path / "same", SMALL + bytes(16), "same-graph")
    narrow = write_small_grader(tmp_path / "narrow")
    broken = write_champion(tmp_path / "broken", SMALL + bytes(32), "broken")
    for folder in (same_graph, broken, narrow):
        store.store_package(blobs, folder)
        with database.session() as session:
            manifest = load_package(folder).manifest
            registry.add_model(session, manifest, origin="fast", started_by="me")
    add_photographs(database, blobs, KNOWN[0], 60)

    def open_whole(package: Package, engine: EngineName) -> CompiledGraph:
        if package.manifest.version == "broken":
            raise ValueError("No engine runs it")
        return open_backbone(package, engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staleness, "MAX_PHOTOS", 3)
        patch.setattr(staleness, "open_backbone", open_whole)
        versions = {one["version"]: one for one in graded(run())}

    other = versions["same-graph"]
    assert 0 < other["photographs"] <= 3 < versions[champion]["photographs"]
    assert other["accuracy"] > 0.9
    assert np.isclose(other["accuracy_of_newest"], 1)
    assert versions[manifest.version]["photographs"] == other["photographs"]
    assert "broken" not in versions


def test_run_ends_well_if_they_cannot_be_graded(
    run: Run, database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bucket_is_away(*_: object) -> None:
        raise OSError("away")

    monkeypatch.setattr(staleness, "_embed", bucket_is_away)
    add_photographs(database, blobs, NEW, 60)

    assert graded(run()) == []
