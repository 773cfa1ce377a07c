"""A tiny package: two classes, four channels, no real graph."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.heads import Head
from api.model.manifest import DataFingerprint, DetectorManifest, Manifest
from api.model.package import BACKBONE, DETECTOR, HEAD, REPLAY
from api.model.replay_buffer import APPEARANCE_COLUMNS, OodSamples, ReplayBuffer, RetiredRows
from tests.heads import draw_head

CHANNELS = 4
CLASSES = ("freshapples", "rottenapples")


def a_head(classes: int = len(CLASSES), seed: int = 0) -> Head:
    return draw_head(CHANNELS, classes, seed)


def without_appearance(count: int, channels: int) -> dict[str, Any]:
    """Replay columns of `count` photos with unknown appearance, no sources, never used to judge."""
    return {
        "looks": np.full((count, len(APPEARANCE_COLUMNS)), np.nan, np.float32),
        "copies": np.zeros(count, np.int32),
        "sources": np.full(count, "", np.str_),
        "first_class": np.full(count, "", np.str_),
        "first_right": np.full(count, -1, np.int8),
        "contradicted": np.zeros(count, bool),
        "retired": RetiredRows.none(channels),
    }


def make_ood_samples(embeddings: NDArray[np.float32]) -> OodSamples:
    """Samples of two near-OOD kinds and of far-OOD, alternating; `embeddings` [n, channels]."""
    kinds = np.arange(len(embeddings)) % 3
    return OodSamples(
        embeddings=embeddings,
        groups=np.array(["other/guava", "other/lemon", "far/stühle.jpg"])[kinds],
        splits=np.array(["train", "validation", "train"])[kinds],
        freshness=np.array([0, 1, np.nan], np.float32)[kinds],
    )


def some_rows(replay: ReplayBuffer, kept: NDArray[np.bool_]) -> ReplayBuffer:
    """A buffer without views reduced to the rows `kept`, bool [n], and all OOD photos."""
    without_row = {"others", "retired", "views", "view_of"}
    columns = {
        name: column[kept] for name, column in vars(replay).items() if name not in without_row
    }
    return replace(replay, **columns)


def a_replay(count: int = 5, seed: int = 0) -> ReplayBuffer:
    random = np.random.default_rng(seed)
    targets = np.eye(len(CLASSES), dtype=np.float32)[np.arange(count) % len(CLASSES)]
    return ReplayBuffer(
        embeddings=random.uniform(0, [0.01, 1, 6, 300], (count, CHANNELS)).astype(np.float32),
        targets=targets,
        splits=np.array(["train", "validation", "test"])[np.arange(count) % 3],
        photographs=np.array([f"äpfel/{number}" for number in range(count)]),
        sha256=np.array([f"{number:064x}" for number in range(count)]),
        signatures=random.integers(0, 256, (count, 80), dtype=np.uint8),
        catalog=np.arange(count) % 2 == 1,
        looks=random.uniform(0, 1, (count, len(APPEARANCE_COLUMNS))).astype(np.float32),
        copies=np.arange(count, dtype=np.int32) % 3 + 1,
        sources=np.array(["", "phone", "märkte"])[np.arange(count) % 3],
        others=make_ood_samples(random.normal(size=(3, CHANNELS)).astype(np.float32)),
        first_class=np.where(np.arange(count) % 3 == 2, "äpfel", ""),
        first_right=np.array([-1, -1, 1], np.int8)[np.arange(count) % 3],
        contradicted=np.arange(count) % 4 == 3,
        retired=RetiredRows(
            embeddings=random.uniform(0, [0.01, 1, 6, 300], (2, CHANNELS)).astype(np.float32),
            class_names=np.array(["kiwi", "trauben"]),
            photographs=np.array(["kiwi/1", "trauben/1"]),
            sha256=np.array(["a" * 64, "b" * 64]),
            signatures=random.integers(0, 256, (2, 80), dtype=np.uint8),
            looks=random.uniform(0, 1, (2, len(APPEARANCE_COLUMNS))).astype(np.float32),
            copies=np.ones(2, np.int32),
            sources=np.array(["", "phone"]),
        ),
    )


def a_detector_manifest(**changes: object) -> DetectorManifest:
    values = {
        "fruits": ("apple", "banana", "orange"),
        "input_size": 32,
        "score_threshold": 0.3,
        "max_overlap": 0.5,
        "created_at": datetime(2026, 11, 28, tzinfo=UTC),
        "parameters": 1,
    }
    return DetectorManifest.model_validate(values | changes)


def filler(
    backbone: bytes = b"TFL3 graph", head: Head | None = None, detector: bytes | None = None
) -> Callable[[Path], None]:
    """A function that writes the parts of a package, for `write_package`."""

    def fill(folder: Path) -> None:
        (folder / BACKBONE).write_bytes(backbone)
        (head or a_head()).save(folder / HEAD)
        a_replay().save(folder / REPLAY)
        if detector is not None:
            (folder / DETECTOR).write_bytes(detector)

    return fill


def describer(
    version: str = "2026-11-21", detector: DetectorManifest | None = None
) -> Callable[[dict[str, str]], Manifest]:
    """A function that makes the manifest of a package, for `write_package`."""

    def describe(hashes: dict[str, str]) -> Manifest:
        return Manifest(
            version=version,
            created_at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
            classes=CLASSES,
            architecture="tiny",
            input_size=32,
            feature_shape=(2, 2, CHANNELS),
            parameters=12,
            preprocessing="none",
            metrics={"accuracy": 0.9, "by_class": {"freshapples": 1.0}},
            thresholds={"recognised": 2.5},
            data=DataFingerprint(files=5, photographs=5, boxed=0, sha256="0" * 64),
            recipe={"epochs": 1},
            versions={"numpy": np.__version__},
            files=hashes,
            detector=detector,
        )

    return describe
