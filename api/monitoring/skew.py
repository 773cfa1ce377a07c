"""Training/serving skew: a photo's embedding from training, and the one that serving computes.

The champion's replay buffer has an embedding of each catalog photo that it learned or was measured
on. Reading the file again, and embedding it as `/predict` does with the engine in use, should give
the same class, nearly the same confidence and nearly the same embedding. Otherwise the file, its
decoding, the resizing or the engine has changed since.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from sqlalchemy import select

from api.core.arrays import FloatArray
from api.core.errors import ProblemError
from api.core.formatting import percent
from api.model.package import REPLAY, Package
from api.model.predictor import Predictor
from api.model.replay_buffer import ReplayBuffer
from api.registry import repository as models
from api.registry.store import fetch_package
from api.retraining.service import NoChampionError
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.photos import ImageRow

# The replay buffer keeps a byte per channel: photos near a border between classes may cross it.
MIN_SAME_CLASS = 0.98
# Medians over the photos: of the greatest difference in a probability, and of the cosine.
MAX_DIFFERENCE = 0.02
MIN_COSINE = 0.995
# With fewer photos there is no verdict.
ENOUGH = 20
SAMPLE = 200


@dataclass(frozen=True)
class Skew:
    """For `photos` photos: the share with the same class, the medians of the greatest difference in
    a probability and of the cosine of the two embeddings, and the number of unreadable files.
    """

    version: str
    engine: str
    photos: int
    same_class: float
    difference: float
    cosine: float
    unreadable: int

    @classmethod
    def between(
        cls,
        package: Package,
        predictor: Predictor,
        learned: FloatArray,
        served: FloatArray,
        *,
        unreadable: int,
    ) -> Self:
        """From embeddings float32 [n, channels] of the same photos: as learned, and as served."""
        name = predictor.engine.name if predictor.engine else "an unknown engine"
        count, version = len(learned), package.manifest.version
        if not count:
            return cls(version, name, 0, 1.0, 0.0, 1.0, unreadable)
        before, now = (package.head.probabilities(each) for each in (learned, served))
        lengths = np.linalg.norm(learned, axis=1) * np.linalg.norm(served, axis=1)
        return cls(
            version,
            name,
            count,
            same_class=float((before.argmax(axis=1) == now.argmax(axis=1)).mean()),
            difference=float(np.median(np.abs(before - now).max(axis=1))),
            cosine=float(np.median((learned * served).sum(axis=1) / lengths)),
            unreadable=unreadable,
        )

    @property
    def objections(self) -> list[str]:
        """Why training and serving differ; empty if they agree, or there are too few photos."""
        found: list[str] = []
        if self.photos < ENOUGH:
            return found
        if self.same_class < MIN_SAME_CLASS:
            found.append(f"Only {percent(self.same_class)} of the photos keep their class.")
        if self.difference > MAX_DIFFERENCE:
            found.append(f"Probabilities differ by {self.difference:.3f}.")
        if self.cosine < MIN_COSINE:
            found.append(f"Embeddings differ: their cosine is {self.cosine:.4f}.")
        return found

    @property
    def lines(self) -> list[str]:
        first = f"{self.version} with {self.engine}: {self.photos} photos of the catalog."
        if self.unreadable:
            first += f" {self.unreadable} more cannot be read."
        if self.photos < ENOUGH:
            return [first, f"Too few to tell: {ENOUGH} are needed that the version has learned."]
        figures = (
            f"Same class {percent(self.same_class)}, probabilities within {self.difference:.4f}, "
            f"cosine of embeddings {self.cosine:.4f}."
        )
        return [first, figures, *(self.objections or ["Training and serving agree."])]


def measure_skew(
    database: Database,
    blobs: Blobs,
    cache: Path,
    load: Callable[[Package], Predictor],
    sample: int = SAMPLE,
) -> Skew:
    """The champion's skew, on up to `sample` photos, the same ones each time; `load` loads it.

    Raises NoChampionError, BadPackageError, and what `load` raises.
    """
    with database.reading() as session:
        version = models.champion_version(session)
        photos = session.execute(select(ImageRow.sha256, ImageRow.blob))
        files = {photo.sha256: photo.blob for photo in photos}
    if version is None:
        raise NoChampionError()
    package = fetch_package(blobs, version, cache)
    replay = ReplayBuffer.load(package.folder / REPLAY)
    is_photo = replay.catalog & ~replay.boxed & np.isin(replay.sha256, list(files))
    rows = np.random.default_rng(0).permutation(np.flatnonzero(is_photo))[:sample]
    predictor = load(package)
    served = {row: _embed(predictor, blobs, files[replay.sha256[row]]) for row in rows.tolist()}
    readable = {row: embedding for row, embedding in served.items() if embedding is not None}
    return Skew.between(
        package,
        predictor,
        replay.embeddings[list(readable)],
        np.array(list(readable.values()), np.float32),
        unreadable=len(served) - len(readable),
    )


def _embed(predictor: Predictor, blobs: Blobs, blob: str) -> FloatArray | None:
    """Float32 [channels], as for a prediction; None if the file cannot be read."""
    if (data := blobs.get_if_readable(blob)) is None:
        return None
    try:
        [embedding] = predictor.embed(data)
    except ProblemError:
        return None
    return np.asarray(embedding, np.float32)
