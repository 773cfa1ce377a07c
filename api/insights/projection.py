"""The embedding map: the current data in two dimensions, as the serving version sees it.

A PCA of the replay buffer's embeddings. Its rows are projected at once; new images of the catalog
are embedded on demand.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import FloatArray, l2_normalize
from api.core.errors import ProblemError
from api.core.formatting import number, share
from api.insights.current_examples import Examples
from api.insights.schemas import EmbeddingMap, Point
from api.model.package import REPLAY
from api.model.predictor import Predictor
from api.model.training_index import load_embeddings
from api.registry.store import fetch_package
from api.storage.blobs import Blobs

# Oversampling and iterations that make the two leading axes exact to the eye.
SUBSPACE = 10
ITERATIONS = 12
_FIT_LOCK = Lock()
# New images embedded per request, and the time after which no further one is started.
MAX_NEW = 150
MAX_SECONDS = 0.4
# Unreadable images named in the story.
MAX_NAMED = 5
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Projection:
    """`mean` float32 [channels], `axes` [channels, 2], `explained`: share of variance by axis."""

    mean: FloatArray
    axes: FloatArray
    explained: tuple[float, float]

    def transform(self, embeddings: FloatArray) -> FloatArray:
        """Points float32 [n, 2] of embeddings float32 [n, channels]."""
        centred: FloatArray = l2_normalize(embeddings) - self.mean
        return centred @ self.axes


def fit_projection(embeddings: FloatArray) -> Projection:
    """PCA of embeddings float32 [n, channels], each scaled to length 1.

    Subspace iteration from a fixed start, so the map is deterministic: N. Halko et al., "Finding
    Structure with Randomness" (2011). A full decomposition takes far longer.
    """
    rows = l2_normalize(embeddings)
    mean: FloatArray = (rows.sum(axis=0) / max(len(rows), 1)).astype(np.float32)
    rows -= mean
    basis = np.random.default_rng(0).normal(size=(rows.shape[1], SUBSPACE)).astype(np.float32)
    for _ in range(ITERATIONS):
        basis, _ = np.linalg.qr(rows.T @ (rows @ basis))
    _, singular_values, rotation = np.linalg.svd(rows @ basis, full_matrices=False)
    axes = np.zeros((rows.shape[1], 2), np.float32)
    leading = basis @ rotation[:2].T
    axes[:, : leading.shape[1]] = leading * _signs(leading)
    shares = np.zeros(2)
    variances = np.square(singular_values[:2])
    shares[: len(variances)] = variances / max(float(np.square(rows).sum()), 1e-12)
    return Projection(mean, axes, (float(shares[0]), float(shares[1])))


def _signs(axes: FloatArray) -> NDArray[np.float32]:
    """Makes the largest entry of each axis positive: the sign is arbitrary."""
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.where(largest < 0, np.float32(-1), np.float32(1))


@dataclass(frozen=True)
class ProjectionCache:
    """Points of one version.

    `replay_points` float32 [n, 2] of the rows of its replay buffer; `image_points` of images that
    were embedded since, by ID. `unreadable`: IDs of images whose files cannot be read.
    """

    projection: Projection
    replay_points: FloatArray
    image_points: dict[str, tuple[float, float]] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)


def projection_of(blobs: Blobs, cache: Path, version: str) -> ProjectionCache:
    """The projection of a stored version; cached. Raises BadPackageError."""
    with _FIT_LOCK:  # Takes a second and much memory, so never twice at once.
        return _fit(blobs, cache, version)


@lru_cache(maxsize=2)
def _fit(blobs: Blobs, cache: Path, version: str) -> ProjectionCache:
    embeddings = load_embeddings(fetch_package(blobs, version, cache).folder / REPLAY)
    projection = fit_projection(embeddings)
    return ProjectionCache(projection, projection.transform(embeddings))


def embed_new(
    cache: ProjectionCache,
    examples: Examples,
    predictor: Predictor,
    blob_keys: Callable[[Sequence[str]], dict[str, str]],
    read: Callable[[str], bytes],
) -> None:
    """Add the points of the newest images outside the replay buffer, as many as time allows.

    `blob_keys` maps image IDs to blob keys; `read` returns the bytes of a blob or raises
    FileNotFoundError.
    """
    outside = examples.image_ids[(examples.replay_rows < 0) & (examples.image_ids != "")].tolist()
    done = cache.image_points.keys() | cache.unreadable
    new = [image_id for image_id in outside if image_id not in done][:MAX_NEW]
    started = perf_counter()
    for image_id, key in blob_keys(new).items() if new else ():
        try:
            embedding = predictor.embed(read(key))
        except (FileNotFoundError, ProblemError) as error:
            log.warning("Image %s is not placed on the map: %s", image_id, error)
            cache.unreadable.add(image_id)
            continue
        x, y = cache.projection.transform(embedding)[0].tolist()
        cache.image_points[image_id] = (x, y)
        if perf_counter() - started > MAX_SECONDS:
            break


def build_map(cache: ProjectionCache, examples: Examples, version: str, limit: int) -> EmbeddingMap:
    """All examples that have a point, or a fixed random `limit` of them."""
    points = _points(cache, examples)
    embedded = np.flatnonzero(np.isfinite(points[:, 0]))
    shown = embedded
    if len(embedded) > limit:
        shown = np.sort(np.random.default_rng(0).choice(embedded, limit, replace=False))
    left_out = len(examples) - len(embedded)
    unreadable = np.isin(examples.image_ids, list(cache.unreadable))
    return EmbeddingMap(
        model_version=version,
        total=len(examples),
        left_out=left_out,
        unreadable=examples.image_ids[unreadable].tolist(),
        explained=cache.projection.explained,
        points=[_point(examples, points, int(k)) for k in shown],
        story=_map_story(
            len(shown),
            len(embedded),
            left_out - int(unreadable.sum()),
            examples.photographs[unreadable].tolist(),
            cache.projection.explained,
        ),
    )


def _points(cache: ProjectionCache, examples: Examples) -> NDArray[np.float64]:
    """The point of each example: float64 [n, 2], NaN if it is not embedded yet."""
    points = np.full((len(examples), 2), np.nan)
    in_replay = examples.replay_rows >= 0
    points[in_replay] = cache.replay_points[examples.replay_rows[in_replay]]
    for k in np.flatnonzero(~in_replay):
        points[k] = cache.image_points.get(str(examples.image_ids[k]), (np.nan, np.nan))
    return points


def _point(examples: Examples, points: NDArray[np.float64], k: int) -> Point:
    return Point(
        x=round(float(points[k, 0]), 4),
        y=round(float(points[k, 1]), 4),
        class_name=str(examples.class_names[k]),
        split=str(examples.splits[k]),  # type: ignore[arg-type]  # One of the three.
        origin=str(examples.origins[k]),  # type: ignore[arg-type]
        photograph=str(examples.photographs[k]),
        image_id=str(examples.image_ids[k]) or None,
    )


def _map_story(
    shown: int,
    embedded: int,
    waiting: int,
    unreadable: Sequence[str],
    explained: tuple[float, float],
) -> str:
    story = (
        "Photos that the model sees as alike lie close together. The two axes hold "
        f"{share(sum(explained))} of what sets the photos apart, so what overlaps here may "
        "still be told apart. A point deep among those of another class is worth a look: its label "
        "may be wrong."
    )
    if shown < embedded:
        story += f" Shown are {shown:,} of {embedded:,}, drawn evenly."
    if waiting:
        story += (
            f" {number(waiting, 'new image')} not placed yet: open this map again to place more."
        )
    if unreadable:
        named = ", ".join(unreadable[:MAX_NAMED])
        more = f" and {len(unreadable) - MAX_NAMED} more" if len(unreadable) > MAX_NAMED else ""
        story += f" Not placed, because their files cannot be read: {named}{more}."
    return story
