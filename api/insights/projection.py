"""The map of today's data: every example at the place where the serving version sees it.

Its axes are principal components, the directions in which embeddings differ most. Examples of the
replay have their place at once; new images are embedded as they are asked for.
"""

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
from api.model.replay_buffer import load_embeddings

# A few directions more than the two wanted, and a few rounds, make those two exact to the eye.
DIRECTIONS = 10
ROUNDS = 12
_ALONE = Lock()
# So many new images are embedded for one map, and none once it has taken so long: a person waits.
AT_ONCE = 150
LONGEST_SECONDS = 0.4


@dataclass(frozen=True)
class Projection:
    """Onto two axes: `middle` float32 [channels], `axes` [channels, 2], `explained` the share of
    the variance along either."""

    middle: FloatArray
    axes: FloatArray
    explained: tuple[float, float]

    def of(self, embeddings: FloatArray) -> FloatArray:
        """Points float32 [n, 2] of embeddings float32 [n, channels], each scaled to length 1."""
        centred: FloatArray = l2_normalize(embeddings) - self.middle
        points: FloatArray = centred @ self.axes
        return points


def fit_projection(embeddings: FloatArray) -> Projection:
    """Of embeddings float32 [n, channels], each scaled to length 1, as OOD detection sees it.

    By subspace iteration from a fixed start, so that the map is the same every time: N. Halko et
    al., "Finding Structure with Randomness" (2011). The whole decomposition takes far longer.
    """
    rows = l2_normalize(embeddings)
    middle: FloatArray = (rows.sum(axis=0) / max(len(rows), 1)).astype(np.float32)
    rows -= middle
    found = np.random.default_rng(0).normal(size=(rows.shape[1], DIRECTIONS)).astype(np.float32)
    for _ in range(ROUNDS):
        found, _ = np.linalg.qr(rows.T @ (rows @ found))
    _, scales, turned = np.linalg.svd(rows @ found, full_matrices=False)
    axes = np.zeros((rows.shape[1], 2), np.float32)
    leading = found @ turned[:2].T
    axes[:, : leading.shape[1]] = leading * _signs(leading)
    shares = np.zeros(2)
    shares[: len(scales[:2])] = np.square(scales[:2]) / max(float(np.square(rows).sum()), 1e-12)
    return Projection(middle, axes, (float(shares[0]), float(shares[1])))


def _signs(axes: FloatArray) -> NDArray[np.float32]:
    """Either way along an axis is as good; the largest entry is made positive."""
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.where(largest < 0, np.float32(-1), np.float32(1))


@dataclass(frozen=True)
class ProjectionCache:
    """Of one version: `known` float32 [n, 2], a row for each of its replay; `added` of images
    that were placed since, by id."""

    projection: Projection
    known: FloatArray
    added: dict[str, tuple[float, float]] = field(default_factory=dict)


def places_of(folder: Path) -> ProjectionCache:
    """The places of the package in `folder`, a verified copy; worked out once."""
    with _ALONE:  # It takes a second and some memory: not twice at once.
        return _places(folder)


@lru_cache(maxsize=2)
def _places(folder: Path) -> ProjectionCache:
    embeddings = load_embeddings(folder / REPLAY)
    projection = fit_projection(embeddings)
    return ProjectionCache(projection, projection.of(embeddings))


def place_new(
    places: ProjectionCache,
    examples: Examples,
    runtime: Predictor,
    blobs_of: Callable[[Sequence[str]], dict[str, str]],
    read: Callable[[str], bytes],
) -> None:
    """Embed the newest images of the catalog that the version has not, as many as time allows.

    `blobs_of` gives the blobs of image ids, `read` the bytes of a blob or FileNotFoundError.
    """
    new = examples.image_ids[(examples.rows < 0) & (examples.image_ids != "")].tolist()
    wanted = [image_id for image_id in new if image_id not in places.added][:AT_ONCE]
    started = perf_counter()
    for image_id, blob in blobs_of(wanted).items() if wanted else ():
        try:
            embedding = runtime.embed(read(blob))
        except (FileNotFoundError, ProblemError):  # Removed this moment, or too large by now.
            continue
        x, y = places.projection.of(embedding)[0].tolist()
        places.added[image_id] = (x, y)
        if perf_counter() - started > LONGEST_SECONDS:
            break


def draw_map(places: ProjectionCache, examples: Examples, version: str, limit: int) -> EmbeddingMap:
    """All examples that have a place, or `limit` of them drawn at random, always the same ones."""
    spots = _spots(places, examples)
    placed = np.flatnonzero(np.isfinite(spots[:, 0]))
    shown = placed
    if len(placed) > limit:
        shown = np.sort(np.random.default_rng(0).choice(placed, limit, replace=False))
    left_out = len(examples) - len(placed)
    return EmbeddingMap(
        model_version=version,
        total=len(examples),
        left_out=left_out,
        explained=places.projection.explained,
        points=[_point(examples, spots, int(k)) for k in shown],
        story=_map_story(len(shown), len(placed), left_out, places.projection.explained),
    )


def _spots(places: ProjectionCache, examples: Examples) -> NDArray[np.float64]:
    """The place of each example: float64 [n, 2], NaN where it has none yet."""
    spots = np.full((len(examples), 2), np.nan)
    known = examples.rows >= 0
    spots[known] = places.known[examples.rows[known]]
    for k in np.flatnonzero(~known):
        spots[k] = places.added.get(str(examples.image_ids[k]), (np.nan, np.nan))
    return spots


def _point(examples: Examples, spots: NDArray[np.float64], k: int) -> Point:
    return Point(
        x=round(float(spots[k, 0]), 4),
        y=round(float(spots[k, 1]), 4),
        class_name=str(examples.class_names[k]),
        split=str(examples.splits[k]),  # type: ignore[arg-type]  # One of the three.
        origin=str(examples.origins[k]),  # type: ignore[arg-type]
        photograph=str(examples.photographs[k]),
        image_id=str(examples.image_ids[k]) or None,
    )


def _map_story(shown: int, placed: int, left_out: int, explained: tuple[float, float]) -> str:
    story = (
        "Photographs that the model sees as alike lie close together. The two axes hold "
        f"{share(sum(explained))} of what sets the photographs apart, so what overlaps here may "
        "still be told apart. A point deep among those of another class is worth a look: its label "
        "may be wrong."
    )
    if shown < placed:
        story += f" Shown are {shown:,} of {placed:,}, drawn evenly."
    if left_out:
        story += (
            f" {number(left_out, 'new image')} not placed yet; they follow the next times that "
            "this map is asked for."
        )
    return story
