"""A candidate: a finished package in a folder of its own, and how it compares with the champion."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.core.paired_comparison import Comparison
from api.core.progress import OnEpoch, Progress, silent, unheard
from api.model.manifest import Manifest
from api.model.package import REPLAY, Package, load_package
from api.model.replay_buffer import Replay
from api.retraining.training_rows import CatalogPhoto


@dataclass(frozen=True)
class RetrainJob:
    """What a run is to make a candidate of.

    `options` are those of the request; `read` gives the bytes of a blob or raises
    FileNotFoundError; `folder` is empty, and what is unfinished may lie there; `imported` is where
    photographs that the person imported lie, perhaps none.
    """

    champion: Package
    replay: Replay
    photos: Sequence[CatalogPhoto]
    options: dict[str, Any]
    started_by: str
    read: Callable[[str], bytes]
    folder: Path
    imported: Path
    progress: Progress = silent
    on_epoch: OnEpoch = unheard

    @classmethod
    def of(cls, champion: Path, **rest: Any) -> "RetrainJob":
        """An order that starts from the package in the folder `champion`."""
        return cls(load_package(champion), Replay.load(champion / REPLAY), **rest)


@dataclass(frozen=True)
class Candidate:
    """A finished package in `folder`, and how it compares."""

    folder: Path
    manifest: Manifest
    comparison: Comparison
