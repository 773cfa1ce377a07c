"""The cost of staleness: what earlier versions get right of the held-out photos of a new one.

The newest photos are among them, so the accuracy of an old version says what is lost by leaving it
in use. A photo of a class that a version does not know counts as wrong.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import pool
from api.core.imaging.resize import to_input
from api.model.backbone import open_backbone
from api.model.package import BACKBONE, REPLAY, BadPackageError, Package
from api.model.replay_buffer import SURE_TARGET, ReplayBuffer
from api.registry import repository as registry
from api.registry.store import fetch_package
from api.retraining.job import RetrainJob
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database

log = logging.getLogger(__name__)

# For a version with another network, which has to see the photos: the newest, in seconds.
MAX_PHOTOS = 500


def grade_kept_versions(
    database: Database, blobs: Blobs, cache: Path, job: RetrainJob, newest: Package
) -> list[dict[str, Any]]:
    """`newest` and the versions that are kept, the newest first, JSON-ready.

    Each with `version`, `created_at`, its `accuracy` on `photographs` photos that were held out of
    `newest`, and the `accuracy_of_newest` on the same. These are all such photos if it has the
    network of `newest`, and else those that the catalog has, at most the newest `MAX_PHOTOS`. A
    version for which there are none is missing.
    """
    replay = ReplayBuffer.load(newest.folder / REPLAY)
    names = np.array(newest.manifest.classes)[replay.targets.argmax(axis=1)]
    held_out = _one_file_of_each(replay)
    right = _predicted(newest, replay.embeddings) == names
    graded = []
    with database.reading() as session:
        kept = [row.version for row in registry.list_models(session) if row.pruned_at is None]
    for version in {newest.manifest.version, *kept}:
        try:
            package = fetch_package(blobs, version, cache)
            if package.manifest.files[BACKBONE] == newest.manifest.files[BACKBONE]:
                rows, embeddings = held_out, replay.embeddings[held_out]
            else:
                rows, embeddings = _embed(job, package, replay, held_out)
        except (BadPackageError, ValueError, RuntimeError, OSError, *UNAVAILABLE) as error:
            # Not worth failing for.
            log.warning("Version %s is not graded again: %s", version, error)
            continue
        if len(rows):
            graded.append(
                {
                    "version": version,
                    "created_at": package.manifest.created_at.isoformat(),
                    "accuracy": float((_predicted(package, embeddings) == names[rows]).mean()),
                    "accuracy_of_newest": float(right[rows].mean()),
                    "photographs": len(rows),
                }
            )
    return sorted(graded, key=lambda one: str(one["created_at"]), reverse=True)


def _one_file_of_each(replay: ReplayBuffer) -> NDArray[np.int64]:
    """The rows of held-out photos."""
    _, first = np.unique(replay.photographs, return_index=True)
    wanted = (replay.splits == "test") & (replay.targets.max(axis=1) > SURE_TARGET)
    return np.intersect1d(np.flatnonzero(wanted), first)


def _predicted(package: Package, embeddings: NDArray[np.float32]) -> NDArray[np.str_]:
    best = package.head.probabilities(embeddings).argmax(axis=1)
    predicted: NDArray[np.str_] = np.array(package.manifest.classes)[best]
    return predicted


def _embed(
    job: RetrainJob, package: Package, replay: ReplayBuffer, held_out: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Embeddings by the network of `package` of the rows whose photo the catalog has."""
    row_of = {str(replay.sha256[row]): int(row) for row in held_out}
    backbone = open_backbone(package, job.engine)
    rows, embeddings = [], []
    for photo in [photo for photo in job.photos if photo.sha256 in row_of][-MAX_PHOTOS:]:
        if read := job.read_photo(photo):
            rows.append(row_of[photo.sha256])
            embeddings.append(pool(backbone(to_input(read[1], package.manifest.input_size)[None])))
    return np.array(rows, np.int64), np.concatenate([replay.embeddings[:0], *embeddings])
