"""What a version's own held-out photographs look like to it: what drift is measured against."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.blobs import Blobs
from api.predict.arrays import FloatArray
from api.predict.head import Head
from api.predict.ood import drift_features
from api.registry.manifest import Manifest
from api.registry.package import HEAD, MANIFEST, REPLAY
from api.registry.store import fetch_package
from api.settings import Settings

SPLIT = "test"
# More photographs than these would make the figures slow, and hardly surer.
MOST = 1000


@dataclass(frozen=True)
class Reference:
    """The test photographs of one version, as it would have graded them, or MOST of them.

    `features` float32 [n, directions], `confidence` float32 [n], `predicted` strings [n],
    `recognised` bool [n].
    """

    version: str
    classes: tuple[str, ...]
    features: FloatArray
    confidence: FloatArray
    predicted: NDArray[np.str_]
    recognised: NDArray[np.bool_]

    @classmethod
    def of(cls, manifest: Manifest, head: Head, embeddings: FloatArray) -> "Reference":
        """Of the embeddings float32 [n, channels] of the test photographs."""
        if len(embeddings) > MOST:
            embeddings = np.random.default_rng(0).choice(embeddings, MOST, replace=False)
        probabilities, recognised, projected = head.judge(embeddings)
        return cls(
            version=manifest.version,
            classes=manifest.classes,
            features=drift_features(projected).astype(np.float32),
            confidence=probabilities.max(axis=1),
            predicted=np.array(manifest.classes)[probabilities.argmax(axis=1)],
            recognised=recognised,
        )


def reference_of(settings: Settings, blobs: Blobs, version: str) -> Reference:
    """The reference of a stored version; worked out once. Raises BadPackageError."""
    return _reference(blobs, settings.model_cache, version)


@lru_cache(maxsize=2)  # What is stored as a version never changes.
def _reference(blobs: Blobs, cache: Path, version: str) -> Reference:
    folder = fetch_package(blobs, version, cache)
    manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    with np.load(folder / REPLAY, allow_pickle=False) as arrays:
        rows = arrays["splits"] == SPLIT
        # Only these rows: all of them would take much memory, and serving has little.
        embeddings = arrays["quantised"][rows].astype(np.float32) * arrays["step"]
        embeddings += arrays["lowest"]
    return Reference.of(manifest, Head.load(folder / HEAD), embeddings)
