"""The cost of staleness: what earlier versions get right of the held-out photos of a new one.

The newest photos are among them, so the accuracy of an old version on them says what is lost by
leaving it in use. Versions with the same backbone are graded on the stored embeddings, in
milliseconds; one with another backbone would need the photos, and is left out.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from api.core.heads import Head
from api.model.package import BACKBONE, REPLAY, BadPackageError, Package
from api.model.replay_buffer import SURE_TARGET, ReplayBuffer
from api.registry import repository as registry
from api.registry.store import fetch_package
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database

log = logging.getLogger(__name__)


def grade_kept_versions(
    database: Database, blobs: Blobs, cache: Path, newest: Package
) -> list[dict[str, Any]]:
    """`newest` and the versions that are kept, the newest first, JSON-ready.

    Each with `version`, `created_at`, and the accuracy on the `photographs` held out of `newest`
    whose class all of them know. Empty if there are none.
    """
    kept = list(_same_backbone(database, blobs, cache, newest))
    replay = ReplayBuffer.load(newest.folder / REPLAY)
    classes = np.array(newest.manifest.classes)
    names = classes[replay.targets.argmax(axis=1)]
    wanted = (replay.splits == "test") & (replay.targets.max(axis=1) > SURE_TARGET)
    for package in kept:
        wanted &= np.isin(names, package.manifest.classes)
    # One file of each photo.
    _, first = np.unique(replay.photographs, return_index=True)
    rows = np.intersect1d(np.flatnonzero(wanted), first)
    if not len(rows):
        return []

    def accuracy(head: Head, known: tuple[str, ...]) -> float:
        best = head.probabilities(replay.embeddings[rows]).argmax(axis=1)
        return float((np.array(known)[best] == names[rows]).mean())

    packages = sorted([newest, *kept], key=lambda one: one.manifest.created_at, reverse=True)
    return [
        {
            "version": one.manifest.version,
            "created_at": one.manifest.created_at.isoformat(),
            "accuracy": accuracy(one.head, one.manifest.classes),
            "photographs": len(rows),
        }
        for one in packages
    ]


def _same_backbone(
    database: Database, blobs: Blobs, cache: Path, newest: Package
) -> Iterator[Package]:
    """Of the kept versions. One that cannot be read is not worth failing for."""
    own = newest.manifest.files[BACKBONE]
    with database.reading() as session:
        rows = [row for row in registry.list_models(session) if row.pruned_at is None]
    same = [row.version for row in rows if row.manifest["files"].get(BACKBONE) == own]
    for version in same:
        if version == newest.manifest.version:
            continue
        try:
            yield fetch_package(blobs, version, cache)
        except (BadPackageError, *UNAVAILABLE) as error:
            log.warning("Version %s is not graded again: %s", version, error)
