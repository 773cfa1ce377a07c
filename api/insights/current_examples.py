"""Today's data: what the serving version learned from, and the catalog as it is now."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.core.errors import ModelUnavailableError
from api.model.package import REPLAY, BadPackageError, read_manifest
from api.model.replay_buffer import APPEARANCE_COLUMNS, TrainingIndex
from api.registry.store import fetch_package
from api.storage.blobs import Blobs
from api.storage.tables import ImageRow

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
# Where an example comes from: with the package, as a photograph or a boxed fruit on one, or given
# by people in one of three ways.
Source = Literal["shipped", "boxed", "upload", "feedback", "review"]


@dataclass(frozen=True)
class Shipped:
    """What a version learned from; `files` is how many files its photographs were saved in."""

    folder: Path
    input_size: int
    files: int
    rows: TrainingIndex


def shipped_of(blobs: Blobs, cache: Path, version: str) -> Shipped:
    """Read a stored version; kept in memory. Raises ModelUnavailableError where it cannot be."""
    try:
        return _read_shipped(blobs, cache, version)
    except BadPackageError as error:
        raise ModelUnavailableError() from error


@lru_cache(maxsize=2)  # What is stored as a version never changes.
def _read_shipped(blobs: Blobs, cache: Path, version: str) -> Shipped:
    folder = fetch_package(blobs, version, cache)
    manifest = read_manifest(folder)
    rows = TrainingIndex.load(folder / REPLAY, manifest.classes)
    return Shipped(folder, manifest.input_size, manifest.data.files, rows)


def images(session: Session) -> Sequence[Any]:
    """Every image with the columns that the insights need, the newest first."""
    query = select(*_COLUMNS).order_by(ImageRow.created_at.desc(), ImageRow.id)
    return session.execute(query).all()


def blobs_of(session: Session, image_ids: Sequence[str]) -> dict[str, str]:
    query = select(ImageRow.id, ImageRow.blob).where(ImageRow.id.in_(image_ids))
    return {str(image_id): str(blob) for image_id, blob in session.execute(query)}


@dataclass(frozen=True)
class Examples:
    """One row an example: a photograph, or a boxed fruit on one.

    Strings [n]: `class_names`, `splits`, `origins`, `photographs`, and `image_ids`, empty where the
    catalog has no picture of it. `looks` float32 [n, 5] and `copies` int32 [n] as in
    `registry.replay`; `rows` int64 [n] is the row of the version's replay, -1 where it has none.
    """

    class_names: NDArray[np.str_]
    splits: NDArray[np.str_]
    origins: NDArray[np.str_]
    photographs: NDArray[np.str_]
    image_ids: NDArray[np.str_]
    looks: NDArray[np.float32]
    copies: NDArray[np.int32]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.class_names)

    @property
    def boxed(self) -> NDArray[np.bool_]:
        boxed: NDArray[np.bool_] = self.origins == "boxed"
        return boxed


def current_examples(learned: TrainingIndex, images: Sequence[Any]) -> Examples:
    """Put both together; `images` are rows of `images`.

    An image of the catalog stands for the row of the replay that was made of it, and a row that
    came from the catalog is left out once its image was removed.
    """
    in_catalog = {image.sha256 for image in images}
    boxed = learned.boxed
    whole = {str(learned.sha256[k]): int(k) for k in np.flatnonzero(~boxed)}
    superseded = [whole[sha256] for sha256 in in_catalog if sha256 in whole]
    stays = ~learned.catalog
    stays[superseded] = False
    kept = np.flatnonzero(stays)

    def join(first: NDArray[np.str_], more: list[str]) -> NDArray[np.str_]:
        return np.concatenate([first, np.array(more, np.str_)])

    looks = [
        (image.brightness, image.saturation, image.hue, image.width, image.height)
        for image in images
    ]
    return Examples(
        class_names=join(learned.class_names[kept], [image.class_name for image in images]),
        splits=join(learned.splits[kept], [image.split for image in images]),
        origins=join(np.where(boxed[kept], "boxed", "shipped"), [image.origin for image in images]),
        photographs=join(learned.photographs[kept], [image.photograph for image in images]),
        image_ids=join(np.full(len(kept), "", np.str_), [image.id for image in images]),
        looks=np.concatenate(
            [learned.looks[kept], np.array(looks, np.float32).reshape(-1, len(APPEARANCE_COLUMNS))]
        ),
        copies=np.concatenate([learned.copies[kept], np.ones(len(images), np.int32)]),
        rows=np.concatenate(
            [kept, np.array([whole.get(image.sha256, -1) for image in images], np.int64)]
        ),
    )
