"""The embedding map: replay rows at once, new images on demand."""

from collections.abc import Sequence

import numpy as np
import pytest

from api.insights import projection as module
from api.insights.projection import Projection, ProjectionCache, build_map, embed_new
from tests.insights.samples import make_examples
from tests.waiting import PATIENCE_SECONDS

PROJECTION = Projection(np.zeros(2, np.float32), np.eye(2, dtype=np.float32), (0.5, 0.25))


class FakePredictor:
    """A predictor that embeds a file as the two numbers in it."""

    def __init__(self) -> None:
        self.embedded: list[bytes] = []

    def embed(self, data: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        self.embedded.append(data)
        return np.array([[float(part) for part in data.split()]], np.float32)


def make_cache() -> ProjectionCache:
    return ProjectionCache(PROJECTION, np.array([[0.1, 0.2], [0.3, 0.4]], np.float32))


def test_new_images_are_embedded_once_and_removed_ones_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(module, "MAX_NEW", 2)
    examples = make_examples(
        "mango",
        "kiwi",
        "kiwi",
        "plum",
        image_ids=["", "i1", "i2", "i3"],
        replay_rows=[1, -1, -1, -1],
    )
    cache, predictor, stored = make_cache(), FakePredictor(), {"i1": b"3 4", "i3": b"0 5"}

    def blob_keys(image_ids: Sequence[str]) -> dict[str, str]:
        return {image_id: image_id for image_id in image_ids}

    def read(blob: str) -> bytes:
        if blob not in stored:
            raise FileNotFoundError(blob)
        return stored[blob]

    embed_new(cache, examples, predictor, blob_keys, read)  # type: ignore[arg-type]
    first = build_map(cache, examples, "v", limit=10)
    assert [(point.x, point.y, point.image_id) for point in first.points] == [
        (0.3, 0.4, None),
        (0.6, 0.8, "i1"),
    ]
    assert (first.total, first.left_out) == (4, 2)
    assert "1 new image not placed yet" in first.story
    assert first.story.endswith("cannot be read: kiwi/2.")

    monkeypatch.setattr(module, "MAX_NEW", 9)
    embed_new(cache, examples, predictor, blob_keys, read)  # type: ignore[arg-type]
    second = build_map(cache, examples, "v", limit=10)
    assert (second.left_out, second.unreadable) == (1, ["i2"])
    assert "cannot be read: " in second.story
    assert "not placed yet" not in second.story
    assert predictor.embedded == [b"3 4", b"0 5"]


def test_after_the_time_limit_one_image_is_still_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SECONDS", 0)
    examples = make_examples(
        "kiwi", "kiwi", "plum", image_ids=["i1", "i2", "i3"], replay_rows=[-1, -1, -1]
    )
    cache = make_cache()

    def blob_keys(image_ids: Sequence[str]) -> dict[str, str]:
        return {image_id: image_id for image_id in image_ids}

    for left_out in (2, 1, 0):
        embed_new(cache, examples, FakePredictor(), blob_keys, lambda _: b"3 4")  # type: ignore[arg-type]
        assert build_map(cache, examples, "v", limit=10).left_out == left_out


def test_random_subset_is_deterministic() -> None:
    examples = make_examples(*["mango"] * 50, replay_rows=np.arange(50) % 2)
    first, second = (build_map(make_cache(), examples, "v", limit=7) for _ in range(2))
    assert len(first.points) == 7
    assert first.points == second.points
    assert "Shown are 7 of 50" in first.story
