"""Photos of five fruits as synthetic embeddings: three that a champion knows, and two new ones."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from api.core.imaging.hashing import SIGNATURE_BYTES
from api.core.splits import split_of
from api.model.replay_buffer import OodSamples, ReplayBuffer
from api.storage.tables.photos import ImageRow
from tests.registry.samples import without_appearance

KNOWN = ("apple", "pear", "quince")
CHANNELS = 24
ALL = ("apple", "pear", "quince", "plum", "fig")
# A photo and its embedding.
EmbeddedPhoto = tuple[ImageRow, NDArray[np.float32]]
CENTRES = np.random.default_rng(0).normal(size=(len(ALL), CHANNELS)) * 1.2


def embedding(class_name: str, seed: int) -> NDArray[np.float32]:
    random = np.random.default_rng([seed, *class_name.encode()])
    drawn: NDArray[np.float32] = random.normal(CENTRES[ALL.index(class_name)]).astype(np.float32)
    return drawn


def others_at(embeddings: NDArray[np.floating]) -> OodSamples:
    """OOD samples, every fifth in the validation split."""
    samples = OodSamples.of_embeddings(embeddings.astype(np.float32))
    splits = np.where(np.arange(len(samples)) % 5 == 0, "validation", "train")
    return replace(samples, splits=splits)


def drawn_replay() -> ReplayBuffer:
    """240 photos of each of KNOWN, and 60 of other things."""
    drawn = [(name, seed) for name in KNOWN for seed in range(240)]
    names = [f"{name}/{seed}" for name, seed in drawn]
    return ReplayBuffer(
        embeddings=np.stack([embedding(*one) for one in drawn]),
        targets=np.eye(3, dtype=np.float32)[[KNOWN.index(name) for name, _ in drawn]],
        splits=np.array([split_of(name) for name in names]),
        photographs=np.array(names),
        sha256=np.array(names),
        signatures=np.zeros((len(names), 80), np.uint8),
        catalog=np.zeros(len(names), bool),
        **without_appearance(len(names), CHANNELS),
        others=others_at(np.random.default_rng(1).normal(size=(60, CHANNELS)) * 3),
    )


def new_photos(
    class_name: str, count: int, shows: str = "", first: int = 1000
) -> list[EmbeddedPhoto]:
    """Photos labelled `class_name`, with their embeddings."""
    photos = []
    for seed in range(first, first + count):
        name = f"{class_name}/{shows}{seed}"
        photo = ImageRow(
            sha256=name,
            class_name=class_name,
            photograph=name,
            split=split_of(name),
            origin="upload",
            signature="00" * SIGNATURE_BYTES,
            blob=name,
            width=1,
            height=1,
            brightness=0.5,
            saturation=0.5,
            hue=0,
        )
        photos.append((photo, embedding(shows or class_name, seed)))
    return photos
