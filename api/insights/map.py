"""The map of today's data: every example at the place where the serving version sees it."""

from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from api.errors import ProblemError
from api.insights.examples import Examples
from api.insights.places import Places
from api.insights.schemas import EmbeddingMap, Point
from api.insights.wording import number, share
from api.predict.runtime import Runtime

# So many new images are embedded for one map, and none once it has taken so long: a person waits.
AT_ONCE = 150
LONGEST_SECONDS = 0.4


def place_new(
    places: Places,
    examples: Examples,
    runtime: Runtime,
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


def draw_map(places: Places, examples: Examples, version: str, limit: int) -> EmbeddingMap:
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
        story=_story(len(shown), len(placed), left_out, places.projection.explained),
    )


def _spots(places: Places, examples: Examples) -> NDArray[np.float64]:
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


def _story(shown: int, placed: int, left_out: int, explained: tuple[float, float]) -> str:
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
