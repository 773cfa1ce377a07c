"""A retraining job: what a trainer gets, and what it returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from api.core.paired_comparison import ModelComparison
from api.core.progress import OnEpoch, Progress, silent
from api.model.manifest import Manifest
from api.model.package import REPLAY, Package
from api.model.replay_buffer import ReplayBuffer
from api.retraining.omissions import Omissions
from api.storage.tables import ImageRow


@dataclass(frozen=True)
class RetrainJob:
    """The input of `fast.make_candidate` and `full.make_candidate`.

    `photos` are all images of the catalog, `options` those of the request. `read` returns the bytes
    of a blob or raises FileNotFoundError. `folder` is an empty working folder. `imported` has the
    imported class folders, and may be missing. `omissions` is filled in meanwhile.
    """

    champion: Package
    photos: Sequence[ImageRow]
    options: dict[str, Any]
    started_by: str
    read: Callable[[str], bytes]
    folder: Path
    imported: Path
    progress: Progress = silent
    on_epoch: OnEpoch = silent
    omissions: Omissions = field(default_factory=Omissions)

    @cached_property
    def replay(self) -> ReplayBuffer:
        """What the champion learned from."""
        return ReplayBuffer.load(self.champion.folder / REPLAY)


@dataclass(frozen=True)
class Candidate:
    """A finished package in `folder`, and its comparison with the champion."""

    folder: Path
    manifest: Manifest
    comparison: ModelComparison
