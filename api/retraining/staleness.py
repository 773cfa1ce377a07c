"""The cost of staleness: how many of a new version's held-out photos earlier versions get right.

The newest photos are among them, so the accuracy of an old version shows what it costs to leave it
in use. A photo of a class that a version does not know counts as wrong.
"""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import pool
from api.core.imaging.resize import to_input
from api.model.backbone import open_backbone
from api.model.engines.choice import CompiledGraph
from api.model.package import BACKBONE, REPLAY, BadPackageError, Package
from api.model.replay_buffer import SURE_TARGET, ReplayBuffer
from api.registry import repository as models
from api.registry.store import fetch_package
from api.retraining.job import RetrainJob
from api.retraining.progress import Stage
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database

log = logging.getLogger(__name__)

# Catalog photos that versions with another network are graded on: they must embed them first.
MAX_PHOTOS = 500


def grade_kept_versions(
    database: Database, blobs: Blobs, cache: Path, job: RetrainJob, newest: Package
) -> list[dict[str, Any]]:
    """Entries for `newest` and the versions that are kept, the newest first, JSON-ready.

    Each has `version`, `created_at`, its `accuracy` on `photographs` photos held out of `newest`,
    and the `accuracy_of_newest` on the same photos. These are all held-out photos if the version
    has the network of `newest`, otherwise at most `MAX_PHOTOS` that are in the catalog. A version
    without any, or one that cannot be loaded, is left out. Raises what `job.progress` raises.
    """
    replay = ReplayBuffer.load(newest.folder / REPLAY)
    names = np.array(newest.manifest.classes)[replay.targets.argmax(axis=1)]
    held_out = _one_file_of_each(replay)
    right = _predicted(newest, replay.embeddings) == names
    network = newest.manifest.files[BACKBONE]
    kept = _load_kept(database, blobs, cache, newest)
    others = [one for one in kept if one.manifest.files[BACKBONE] != network]
    embedded = _embed(job, others, {str(replay.sha256[row]): int(row) for row in held_out})
    graded = []
    for package in [newest, *kept]:
        rows, embeddings = embedded.get(
            package.manifest.version, (held_out, replay.embeddings[held_out])
        )
        if len(rows):
            graded.append(
                {
                    "version": package.manifest.version,
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


def _load_kept(database: Database, blobs: Blobs, cache: Path, newest: Package) -> list[Package]:
    """The other versions that are kept. One that cannot be loaded is not worth failing for."""
    with database.reading() as session:
        kept = [row.version for row in models.list_models(session) if row.pruned_at is None]
    packages = []
    for version in kept:
        if version == newest.manifest.version:
            continue
        try:
            packages.append(fetch_package(blobs, version, cache))
        except (BadPackageError, OSError, *UNAVAILABLE) as error:
            log.warning("Version %s is not graded again: %s", version, error)
    return packages


def _embed(
    job: RetrainJob, packages: Sequence[Package], row_of: Mapping[str, int]
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """By version, the rows of the catalog's photos in `row_of`, and its own embeddings of them.

    Each photo is read once. Empty for a version that no engine can run.
    """
    embeddings: dict[str, list[NDArray[np.float32]]] = {
        package.manifest.version: [] for package in packages
    }
    backbones = dict(_open(job, packages))
    photos = [photo for photo in job.photos if backbones and photo.sha256 in row_of]
    step = max(1, math.ceil(len(photos) / MAX_PHOTOS))
    rows = []
    for done, photo in enumerate(photos[::step], start=1):
        job.progress(Stage.COMPARING, done, len(photos[::step]))
        if read := job.read_photo(photo):
            rows.append(row_of[photo.sha256])
            for version, (backbone, size) in backbones.items():
                embeddings[version].append(pool(backbone(to_input(read[1], size)[None])))
    return {
        version: (np.array(rows, np.int64), np.concatenate(found))
        if found
        else (np.empty(0, np.int64), np.empty((0, 0), np.float32))
        for version, found in embeddings.items()
    }


def _open(
    job: RetrainJob, packages: Sequence[Package]
) -> Iterator[tuple[str, tuple[CompiledGraph, int]]]:
    """By version, its network and input size."""
    for package in packages:
        try:
            backbone = open_backbone(package, job.engine)
        except (ValueError, RuntimeError) as error:
            log.warning("Version %s is not graded again: %s", package.manifest.version, error)
        else:
            yield package.manifest.version, (backbone, package.manifest.input_size)
