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

from api.blobs import Blobs
from api.dataset.repository import ImageRow
from api.errors import ModelUnavailableError
from api.registry.manifest import Manifest
from api.registry.package import MANIFEST, REPLAY, BadPackageError
from api.registry.replay import BOXED, LOOKS
from api.registry.store import fetch_package

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
    """The rows of a version's replay, as `registry.replay.Replay` describes them.

    `class_names` are the classes that the targets give most to; `files` is how many files the
    package says that its photographs were saved in.
    """

    folder: Path
    version: str
    input_size: int
    files: int
    class_names: NDArray[np.str_]
    splits: NDArray[np.str_]
    photographs: NDArray[np.str_]
    sha256: NDArray[np.str_]
    boxed: NDArray[np.bool_]
    catalog: NDArray[np.bool_]
    looks: NDArray[np.float32]
    copies: NDArray[np.int32]


def shipped_of(blobs: Blobs, cache: Path, version: str) -> Shipped:
    """Read a stored version; kept in memory. Raises ModelUnavailableError where it cannot be."""
    try:
        return _read_shipped(blobs, cache, version)
    except BadPackageError as error:
        raise ModelUnavailableError() from error


@lru_cache(maxsize=2)  # What is stored as a version never changes.
def _read_shipped(blobs: Blobs, cache: Path, version: str) -> Shipped:
    folder = fetch_package(blobs, version, cache)
    manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    with np.load(folder / REPLAY, allow_pickle=False) as arrays:
        photographs = arrays["photographs"]
        rows = len(photographs)
        nothing = {
            "catalog": np.zeros(rows, bool),
            "looks": np.full((rows, len(LOOKS)), np.nan, np.float32),
            "copies": np.zeros(rows, np.int32),
        }
        known = {name: arrays[name] if name in arrays else nothing[name] for name in nothing}
        return Shipped(
            folder=folder,
            version=version,
            input_size=manifest.input_size,
            files=manifest.data.files,
            class_names=np.array(manifest.classes)[arrays["targets"].argmax(axis=1)],
            splits=arrays["splits"],
            photographs=photographs,
            sha256=arrays["sha256"],
            boxed=np.char.startswith(photographs, BOXED),
            **known,
        )


def images(session: Session) -> Sequence[Any]:
    """Every image with the columns that the insights need, the newest first."""
    query = select(*_COLUMNS).order_by(ImageRow.created_at.desc(), ImageRow.id)
    return session.execute(query).all()


def blobs_of(session: Session, image_ids: Sequence[str]) -> dict[str, str]:
    """The blob of each image that is there."""
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


def todays(shipped: Shipped, images: Sequence[Any]) -> Examples:
    """Put both together; `images` are rows of `insights.repository.images`.

    An image of the catalog stands for the row of the replay that was made of it, and a row that
    came from the catalog is left out once its image was removed.
    """
    in_catalog = {image.sha256 for image in images}
    whole = {str(shipped.sha256[k]): int(k) for k in np.flatnonzero(~shipped.boxed)}
    superseded = [whole[sha256] for sha256 in in_catalog if sha256 in whole]
    stays = ~shipped.catalog
    stays[superseded] = False
    kept = np.flatnonzero(stays)

    def join(first: NDArray[np.str_], more: list[str]) -> NDArray[np.str_]:
        return np.concatenate([first, np.array(more, np.str_)])

    looks = [
        (image.brightness, image.saturation, image.hue, image.width, image.height)
        for image in images
    ]
    return Examples(
        class_names=join(shipped.class_names[kept], [image.class_name for image in images]),
        splits=join(shipped.splits[kept], [image.split for image in images]),
        origins=join(
            np.where(shipped.boxed[kept], "boxed", "shipped"), [image.origin for image in images]
        ),
        photographs=join(shipped.photographs[kept], [image.photograph for image in images]),
        image_ids=join(np.full(len(kept), "", np.str_), [image.id for image in images]),
        looks=np.concatenate(
            [shipped.looks[kept], np.array(looks, np.float32).reshape(len(images), -1)]
            if images
            else [shipped.looks[kept]]
        ),
        copies=np.concatenate([shipped.copies[kept], np.ones(len(images), np.int32)]),
        rows=np.concatenate(
            [kept, np.array([whole.get(image.sha256, -1) for image in images], np.int64)]
        ),
    )
