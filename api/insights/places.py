"""Where examples lie on the map: those of the replay at once, new images as they are asked for."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np

from api.insights.projection import Projection, fit_projection
from api.predict.arrays import FloatArray
from api.registry.package import REPLAY

_ALONE = Lock()


@dataclass(frozen=True)
class Places:
    """Of one version: `known` float32 [n, 2], a row for each of its replay; `added` of images
    that were placed since, by id."""

    projection: Projection
    known: FloatArray
    added: dict[str, tuple[float, float]] = field(default_factory=dict)


def places_of(folder: Path) -> Places:
    """The places of the package in `folder`, a verified copy; worked out once."""
    with _ALONE:  # It takes a second and some memory: not twice at once.
        return _places(folder)


@lru_cache(maxsize=2)
def _places(folder: Path) -> Places:
    with np.load(folder / REPLAY, allow_pickle=False) as arrays:
        embeddings = arrays["quantised"].astype(np.float32) * arrays["step"]
        embeddings += arrays["lowest"]
    projection = fit_projection(embeddings)
    return Places(projection, projection.of(embeddings))
