"""A retraining job: what a trainer gets, and what it returns."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from api.catalog.boxed_repository import BoxedPhoto
from api.core.errors import ProblemError
from api.core.imaging.crop import crop_photo
from api.core.imaging.decode import MAX_PIXELS, decode
from api.core.paired_comparison import ModelComparison
from api.core.progress import OnEpoch, Progress, silent
from api.model.manifest import Manifest
from api.model.package import REPLAY, Package
from api.model.replay_buffer import ReplayBuffer
from api.retraining.boxed_fruits import BoxedFruit, CatalogPhoto, file_sha256
from api.retraining.omissions import Omissions, why_unreadable
from api.settings import EngineName
from api.storage.tables.photos import BoxedPhotoRow, ImageRow

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetrainJob:
    """The input of `make_candidate` of each mode.

    `photos` are all images and labelled boxes of the catalog, `boxed_photos` its boxed photos
    (not for the mode fast), `options` those of the request.
    `read` returns the bytes of a blob or raises FileNotFoundError. `folder` is an empty working
    folder. `imported` has the imported class folders, and may be missing. `max_pixels` limits an
    image's size. `engine` computes the embeddings. The run fills in `omissions`, and `were_read`
    with the SHA-256s of the files that could be read.
    """

    champion: Package
    photos: Sequence[CatalogPhoto]
    options: dict[str, Any]
    started_by: str
    read: Callable[[str], bytes]
    folder: Path
    imported: Path
    boxed_photos: Sequence[BoxedPhoto] = ()
    max_pixels: int = MAX_PIXELS
    engine: EngineName = "litert"
    progress: Progress = silent
    on_epoch: OnEpoch = silent
    omissions: Omissions = field(default_factory=Omissions)
    were_read: set[str] = field(default_factory=set)

    @cached_property
    def replay(self) -> ReplayBuffer:
        """What the champion learned from."""
        return ReplayBuffer.load(self.champion.folder / REPLAY)

    @property
    def image_ids(self) -> dict[str, str]:
        """The IDs of the catalog's images by SHA-256; boxes have none."""
        return {photo.sha256: photo.id for photo in self.photos if isinstance(photo, ImageRow)}

    def read_photo(self, photo: CatalogPhoto | BoxedPhotoRow) -> tuple[bytes, Image.Image] | None:
        """The file and its pixels; for a box, those of its crop.

        If it cannot be read, returns None and notes it in `omissions`.
        """
        if photo.sha256 in self.omissions.photos:
            return None
        try:
            data = self.read(photo.blob)
            decoded = decode(data, self.max_pixels)
            self.were_read.add(file_sha256(photo))
            if isinstance(photo, BoxedFruit):
                return data, crop_photo(decoded, photo.box)
            return data, decoded.image
        except (OSError, ProblemError) as error:
            reason = why_unreadable(error)
            if not reason:
                raise
            log.warning("%r is skipped: %s (%s).", photo.filename, reason, photo.blob)
            self.omissions.photos[photo.sha256] = photo, reason
            return None


@dataclass(frozen=True)
class Candidate:
    """A finished package in `folder`, and the comparison of its grader with the champion's; None if
    it has the champion's own. `detector` says what became of the detector, JSON-ready; empty if the
    run did not concern it. `fallback` takes its place if the gate rejects it."""

    folder: Path
    manifest: Manifest
    comparison: ModelComparison | None
    detector: Mapping[str, Any] = field(default_factory=dict)
    fallback: "Candidate | None" = None
