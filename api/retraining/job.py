"""A retraining job: what the catalog says of a run, what a trainer gets, and what it returns."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.appearance import Appearance
from api.core.paired_comparison import ModelComparison
from api.core.progress import OnEpoch, Progress, silent
from api.core.splits import Split
from api.model.manifest import Manifest
from api.model.package import REPLAY, Package, load_package
from api.model.replay_buffer import ReplayBuffer
from api.registry import repository as registry
from api.retraining import repository, service
from api.storage.db import Database
from api.storage.tables import ImageRow


@dataclass(frozen=True)
class CatalogPhoto:
    """One image of the catalog.

    `signature` is its perceptual hash, uint8 [80]; `blob` the storage key of its bytes; `width` and
    `height` are in pixels.
    """

    sha256: str
    class_name: str
    photograph: str
    split: Split
    origin: str
    signature: NDArray[np.uint8]
    blob: str
    width: int
    height: int
    appearance: Appearance

    @property
    def looks(self) -> NDArray[np.float32]:
        """A row of `ReplayBuffer.looks`: float32 [5]."""
        return np.array([*astuple(self.appearance), self.width, self.height], np.float32)


@dataclass(frozen=True)
class StoredJob:
    """A run as the catalog has it: its options, the current champion and all catalog images."""

    id: str
    mode: service.Mode
    options: dict[str, Any]
    started_by: str
    champion: str
    photos: tuple[CatalogPhoto, ...]


@dataclass(frozen=True)
class RetrainJob:
    """The input of `fast.make_candidate` and `full.make_candidate`.

    `options` are those of the request. `read` returns the bytes of a blob or raises
    FileNotFoundError. `folder` is an empty working folder. `imported` holds the imported class
    folders and may not exist.
    """

    champion: Package
    replay: ReplayBuffer
    photos: Sequence[CatalogPhoto]
    options: dict[str, Any]
    started_by: str
    read: Callable[[str], bytes]
    folder: Path
    imported: Path
    progress: Progress = silent
    on_epoch: OnEpoch = silent

    @classmethod
    def of(cls, champion: Path, **rest: Any) -> "RetrainJob":
        """A job that starts from the package in the folder `champion`."""
        return cls(load_package(champion), ReplayBuffer.load(champion / REPLAY), **rest)


@dataclass(frozen=True)
class Candidate:
    """A finished package in `folder`, and its comparison with the champion."""

    folder: Path
    manifest: Manifest
    comparison: ModelComparison


def load_job(database: Database, run_id: str) -> StoredJob:
    """Raises UnknownRunError, NoChampionError."""
    with database.reading() as session:
        run = service.get(session, run_id)
        champion = registry.champion(session)
        if champion is None:
            raise service.NoChampionError()
        photos = tuple(_photo(image) for image in repository.images(session))
        mode: service.Mode = "full" if run.mode == "full" else "fast"
        return StoredJob(run_id, mode, run.options, run.started_by, champion, photos)


def _photo(image: ImageRow) -> CatalogPhoto:
    return CatalogPhoto(
        sha256=image.sha256,
        class_name=image.class_name,
        photograph=image.photograph,
        split=image.split,  # type: ignore[arg-type]  # train, validation or test
        origin=image.origin,
        signature=np.frombuffer(bytes.fromhex(image.signature), np.uint8),
        blob=image.blob,
        width=image.width,
        height=image.height,
        appearance=Appearance(image.brightness, image.saturation, image.hue),
    )
