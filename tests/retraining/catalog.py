"""Test data for retraining: a small champion, and photos for the catalog.

Its network is one layer on mean colours, which tell the drawn fruits apart. A run on its 64
channels takes a tenth of the time of a run on the default network's 1280, which a few tests still
do.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path, PurePath
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from api.catalog.box_frames import LabelledBox
from api.catalog.boxed_repository import BoxedPhoto
from api.core.appearance import appearance
from api.core.arrays import pool
from api.core.boxes import Box
from api.core.heads import Head
from api.core.imaging.hashing import content_hash, perceptual_hash
from api.core.imaging.resize import to_input
from api.core.splits import split_of
from api.model.engines.litert import LiteRTBackbone
from api.model.manifest import Manifest
from api.model.package import BACKBONE, DETECTOR, HEAD, REPLAY, load_package, write_package
from api.model.replay_buffer import OodSamples, ReplayBuffer
from api.registry.service import register_shipped
from api.retraining.fast_heads import fit_calibrated_head
from api.retraining.training_rows import TrainingRows
from api.settings import PROJECT
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.models import RunRow
from api.storage.tables.photos import BoxedPhotoRow, ImageRow
from tests.registry.samples import without_appearance
from tests.small_grader import small_graph
from tests.synthetic_images import draw_fruit, encode

GRADER_MADE_AT = datetime(2026, 7, 1, tzinfo=UTC)
KNOWN = ("freshapples", "freshbanana")
NEW = "rottenoranges"
PICTURES = 40
# The boxes of a drawn boxed photo.
BOXES = (Box(0, 0, 64, 64), Box(64, 0, 128, 64))
DEFAULT = load_package(PROJECT / "models" / "default")
# The fruits are drawn on white, which must not make all photos look alike.
SMALL = small_graph(64, background=255)
# For tests with the fixture `champion`.
on_the_default_network = pytest.mark.parametrize(
    "champion", [DEFAULT.backbone], ids=["default"], indirect=True
)


def picture(class_name: str, seed: int) -> Image.Image:
    return draw_fruit(class_name, seed=seed, size=64)


# Executes a run with these options and returns its final row.
Run = Callable[..., RunRow]


@cache
def champion_rows(backbone: bytes = SMALL) -> ReplayBuffer:
    """Drawn photos of the known classes, embedded by `backbone`."""
    network = LiteRTBackbone(backbone)
    drawn = [(name, seed) for name in KNOWN for seed in range(PICTURES)]
    images = [picture(*one) for one in drawn]
    names = [f"{name}/shipped-{seed}" for name, seed in drawn]
    noise = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)

    def embed(pictures: Iterable[Image.Image]) -> NDArray[np.float32]:
        size = DEFAULT.manifest.input_size
        return np.concatenate([pool(network(to_input(one, size)[None])) for one in pictures])

    embeddings = embed(images)
    return ReplayBuffer(
        embeddings=embeddings,
        targets=np.eye(len(KNOWN), dtype=np.float32)[[KNOWN.index(name) for name, _ in drawn]],
        splits=np.array([split_of(name) for name in names]),
        photographs=np.array(names),
        sha256=np.array([hashlib.sha256(name.encode()).hexdigest() for name in names]),
        signatures=np.stack([perceptual_hash(image) for image in images]),
        catalog=np.zeros(len(names), bool),
        **without_appearance(len(names), embeddings.shape[1]),
        others=OodSamples.of_embeddings(embed(Image.fromarray(pixels) for pixels in noise)),
    )


@cache
def champion_head(backbone: bytes = SMALL) -> Head:
    """A quickly fitted head, with the default package's detection of several fruits."""
    rows = champion_rows(backbone)
    none = np.zeros(len(rows.embeddings), bool)
    head = fit_calibrated_head(TrainingRows(KNOWN, rows, none, none))
    several = DEFAULT.head.several
    assert several
    return replace(head, several=replace(several, reduce=several.reduce[: head.channels]))


def a_photo(image: Image.Image, data: bytes, class_name: str, name: str, blob: str) -> ImageRow:
    """The catalog row for `data`, in the split of `name`."""
    return ImageRow(
        id=uuid4().hex,
        sha256=content_hash(data),
        signature=perceptual_hash(image).tobytes().hex(),
        class_name=class_name,
        photograph=name,
        split=split_of(name),
        origin="upload",
        filename=PurePath(blob).name,
        width=image.width,
        height=image.height,
        bytes=len(data),
        **asdict(appearance(image)),
        blob=blob,
    )


def a_boxed_photo(seed: int, *class_names: str | None) -> tuple[BoxedPhoto, bytes]:
    """The row of two drawn fruits side by side, with boxes of `class_names`, and its file."""
    image = Image.new("RGB", (128, 64))
    for box, shows in zip(BOXES, KNOWN, strict=True):
        image.paste(picture(shows, seed), (int(box.x_min), 0))
    data = encode(image, "PNG")
    group = f"scene/{seed}"
    row = BoxedPhotoRow(
        id=uuid4().hex,
        sha256=content_hash(data),
        signature=perceptual_hash(image).tobytes().hex(),
        photograph=group,
        split=split_of(group),
        origin="upload",
        filename=f"{seed}.png",
        width=image.width,
        height=image.height,
        bytes=len(data),
        blob=f"boxed-photos/{content_hash(data)}.png",
        complete=True,
    )
    boxes = [LabelledBox(*each) for each in zip(BOXES, class_names, strict=False)]
    return BoxedPhoto(row, boxes), data


def write_champion(folder: Path, backbone: bytes = SMALL, version: str = "champion") -> Path:
    """Write a package of the known classes: `backbone`, a head for it, and the default detector."""
    rows, head = champion_rows(backbone), champion_head(backbone)
    size = DEFAULT.manifest.input_size
    photo = np.zeros((1, size, size, 3), np.uint8)

    def fill(parts: Path) -> None:
        (parts / BACKBONE).write_bytes(backbone)
        head.save(parts / HEAD)
        rows.save(parts / REPLAY)
        if DEFAULT.detector is not None:
            (parts / DETECTOR).write_bytes(DEFAULT.detector)

    def describe(files: dict[str, str]) -> Manifest:
        data = DEFAULT.manifest.data.model_copy(update={"files": len(rows.embeddings), "boxed": 0})
        update = {
            "version": version,
            "classes": KNOWN,
            # Before the first run, whose version has a time in whole seconds.
            "created_at": datetime.now(UTC) - timedelta(minutes=1),
            # As after a run that trained only the detector.
            "grader_created_at": GRADER_MADE_AT,
            "feature_shape": LiteRTBackbone(backbone)(photo).shape[1:],
            "data": data,
            "files": files,
        }
        return DEFAULT.manifest.model_copy(update={**update, "probe": None})

    write_package(folder / version, fill, describe)
    return folder / version


def install_champion(
    database: Database, blobs: Blobs, folder: Path, backbone: bytes = SMALL
) -> str:
    """Register the small champion, and return its version."""
    package = write_champion(folder, backbone)
    register_shipped(database, blobs, package)
    return load_package(package).manifest.version


def add_photographs(
    database: Database,
    blobs: Blobs,
    class_name: str,
    count: int,
    *,
    shows: str = "",
    first: int = 1000,
    origin: str = "upload",
) -> list[str]:
    """Add drawn photos to the catalog, and return their SHA-256s.

    They are labelled `class_name` and show `shows`, by default that class.
    """
    added = []
    for seed in range(first, first + count):
        image = picture(shows or class_name, seed)
        data = encode(image, "PNG")
        blob = f"photographs/{content_hash(data)}.png"
        blobs.put(blob, data)
        row = a_photo(image, data, class_name, f"{class_name}/{shows}{seed}", blob)
        row.origin = origin
        with database.session() as session:
            session.add(row)
        added.append(row.sha256)
    return added
