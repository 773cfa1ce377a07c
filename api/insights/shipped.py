"""What the serving version learned from and was measured on, without its embeddings."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.blobs import Blobs
from api.errors import ModelUnavailableError
from api.registry.manifest import Manifest
from api.registry.package import MANIFEST, REPLAY, BadPackageError
from api.registry.replay import BOXED, LOOKS
from api.registry.store import fetch_package


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
        return _read(blobs, cache, version)
    except BadPackageError as error:
        raise ModelUnavailableError() from error


@lru_cache(maxsize=2)  # What is stored as a version never changes.
def _read(blobs: Blobs, cache: Path, version: str) -> Shipped:
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
