"""The current data: the serving version's training set, and the catalog as it is now."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.model.package import REPLAY
from api.model.replay_buffer import APPEARANCE_COLUMNS
from api.model.training_index import TrainingIndex
from api.registry.store import fetch_package
from api.storage.blobs import Blobs
from api.storage.tables.photos import ImageRow

_COLUMNS = (
    ImageRow.id,
    ImageRow.sha256,
    ImageRow.class_name,
    ImageRow.split,
    ImageRow.origin,
    ImageRow.photograph,
    ImageRow.brightness,
    ImageRow.saturation,
    ImageRow.hue,
    ImageRow.width,
    ImageRow.height,
)
# From the package, as a photo or a bounding box in one, or from users in one of three ways.
Source = Literal["shipped", "boxed", "upload", "feedback", "review"]


@dataclass(frozen=True)
class TrainingSet:
    """What a version was trained and tested on. `files` counts saved copies too."""

    input_size: int
    files: int
    index: TrainingIndex


@lru_cache(maxsize=2)  # A stored version never changes.
def load_training_set(blobs: Blobs, cache: Path, version: str) -> TrainingSet:
    """The training set of a stored version; cached. Raises BadPackageError."""
    package = fetch_package(blobs, version, cache)
    manifest = package.manifest
    index = TrainingIndex.load(package.folder / REPLAY, manifest.classes)
    return TrainingSet(manifest.input_size, manifest.data.files, index)


def load_images(session: Session) -> Sequence[Any]:
    """Images of the catalog, newest first, without the columns not needed here."""
    query = select(*_COLUMNS).order_by(ImageRow.created_at.desc(), ImageRow.id)
    return session.execute(query).all()


def load_blob_keys(session: Session, image_ids: Sequence[str]) -> dict[str, str]:
    """Blob keys by image ID, for the images that exist."""
    query = select(ImageRow.id, ImageRow.blob).where(ImageRow.id.in_(image_ids))
    return {str(image_id): str(blob) for image_id, blob in session.execute(query)}


@dataclass(frozen=True)
class Examples:
    """Columns of n examples; an example is a photo, or a bounding box in one.

    Strings [n]: `class_names`, `splits`, `origins`, `photographs` (source groups), `image_ids`
    (empty if not in the catalog). `appearance` float32 [n, 5]: APPEARANCE_COLUMNS, NaN if not
    measured. `copies` int32 [n]: saved copies, 0 if unknown. `replay_rows` int64 [n]: row in the
    version's replay buffer, -1 if none.
    """

    class_names: NDArray[np.str_]
    splits: NDArray[np.str_]
    origins: NDArray[np.str_]
    photographs: NDArray[np.str_]
    image_ids: NDArray[np.str_]
    appearance: NDArray[np.float32]
    copies: NDArray[np.int32]
    replay_rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.class_names)


def current_examples(index: TrainingIndex, images: Sequence[Any]) -> Examples:
    """Merge a training index with the `images` of the catalog.

    An image of the catalog replaces the training row made from it. Training rows that came from
    the catalog are dropped once their image was removed.
    """
    boxed = index.boxed
    row_of = {str(index.sha256[k]): int(k) for k in np.flatnonzero(~boxed)}
    is_kept = ~index.catalog
    is_kept[[row_of[image.sha256] for image in images if image.sha256 in row_of]] = False
    kept = np.flatnonzero(is_kept)

    def join(first: NDArray[np.str_], more: list[str]) -> NDArray[np.str_]:
        return np.concatenate([first, np.array(more, np.str_)])

    appearance = np.array(
        [[getattr(image, name) for name in APPEARANCE_COLUMNS] for image in images], np.float32
    ).reshape(-1, len(APPEARANCE_COLUMNS))
    return Examples(
        class_names=join(index.class_names[kept], [image.class_name for image in images]),
        splits=join(index.splits[kept], [image.split for image in images]),
        origins=join(np.where(boxed[kept], "boxed", "shipped"), [image.origin for image in images]),
        photographs=join(index.photographs[kept], [image.photograph for image in images]),
        image_ids=join(np.full(len(kept), "", np.str_), [image.id for image in images]),
        appearance=np.concatenate([index.looks[kept], appearance]),
        copies=np.concatenate([index.copies[kept], np.ones(len(images), np.int32)]),
        replay_rows=np.concatenate(
            [kept, np.array([row_of.get(image.sha256, -1) for image in images], np.int64)]
        ),
    )
