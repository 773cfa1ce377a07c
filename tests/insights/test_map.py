"""The map: known rows at once, new images as they are asked for."""

from collections.abc import Sequence

import numpy as np
import pytest

from api.insights import projection as module
from api.insights.projection import Projection, ProjectionCache, draw_map, place_new
from tests.insights.samples import some

PROJECTION = Projection(np.zeros(2, np.float32), np.eye(2, dtype=np.float32), (0.5, 0.25))


class Eye:
    """Stands in for the grader: sees in a photograph the two numbers that it says."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def embed(self, data: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        self.seen.append(data)
        return np.array([[float(part) for part in data.split()]], np.float32)


def places() -> ProjectionCache:
    return ProjectionCache(PROJECTION, np.array([[0.1, 0.2], [0.3, 0.4]], np.float32))


def test_new_images_are_placed_once_and_those_removed_meanwhile_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    examples = some(
        "mango", "kiwi", "kiwi", "plum", image_ids=["", "i1", "i2", "i3"], rows=[1, -1, -1, -1]
    )
    found, eye, stored = places(), Eye(), {"i1": b"3 4", "i3": b"0 5"}

    def blobs_of(wanted: Sequence[str]) -> dict[str, str]:
        return {image_id: image_id for image_id in wanted}

    def read(blob: str) -> bytes:
        if blob not in stored:
            raise FileNotFoundError(blob)
        return stored[blob]

    place_new(found, examples, eye, blobs_of, read)  # type: ignore[arg-type]
    first = draw_map(found, examples, "v", limit=10)
    assert [(point.x, point.y, point.image_id) for point in first.points] == [
        (0.3, 0.4, None),
        (0.6, 0.8, "i1"),
    ]
    assert (first.total, first.left_out) == (4, 2)
    assert "2 new images not placed yet" in first.story

    monkeypatch.setattr(module, "AT_ONCE", 9)
    place_new(found, examples, eye, blobs_of, read)  # type: ignore[arg-type]
    assert draw_map(found, examples, "v", limit=10).left_out == 1
    assert eye.seen == [b"3 4", b"0 5"]


def test_no_more_are_placed_than_time_allows_but_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_SECONDS", 0)
    examples = some("kiwi", "kiwi", "plum", image_ids=["i1", "i2", "i3"], rows=[-1, -1, -1])
    found = places()

    def blobs_of(wanted: Sequence[str]) -> dict[str, str]:
        return {image_id: image_id for image_id in wanted}

    for left_out in (2, 1, 0):
        place_new(found, examples, Eye(), blobs_of, lambda _: b"3 4")  # type: ignore[arg-type]
        assert draw_map(found, examples, "v", limit=10).left_out == left_out


def test_more_than_wanted_are_drawn_the_same_way_every_time() -> None:
    examples = some(*["mango"] * 50, rows=np.arange(50) % 2)
    first, second = (draw_map(places(), examples, "v", limit=7) for _ in range(2))
    assert len(first.points) == 7
    assert first.points == second.points
    assert "Shown are 7 of 50" in first.story
