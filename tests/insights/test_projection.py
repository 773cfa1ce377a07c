"""The axes of the map: deterministic principal components."""

import numpy as np
import pytest
from numpy.typing import NDArray

from api.core.arrays import l2_normalize
from api.insights.projection import fit_projection


def cloud(count: int = 300, channels: int = 40) -> NDArray[np.float32]:
    random = np.random.default_rng(3)
    scale = np.linspace(3, 0.1, channels)
    drawn: NDArray[np.float32] = (5 + random.normal(size=(count, channels)) * scale).astype(
        np.float32
    )
    return drawn


def test_axes_match_a_full_svd() -> None:
    embeddings = cloud()
    projection = fit_projection(embeddings)
    rows = l2_normalize(embeddings)
    rows -= rows.mean(axis=0)
    _, scales, directions = np.linalg.svd(rows, full_matrices=False)
    variance = np.square(scales) / np.square(scales).sum()
    assert np.abs(np.sum(projection.axes * directions[:2].T, axis=0)) == pytest.approx(1, abs=1e-3)
    assert projection.explained == pytest.approx(variance[:2], rel=1e-3)


def test_map_does_not_depend_on_the_order() -> None:
    embeddings = cloud()
    points = fit_projection(embeddings).transform(embeddings)
    reversed_points = fit_projection(embeddings[::-1]).transform(embeddings)
    assert np.allclose(points, reversed_points, atol=1e-3)
    assert np.array_equal(points, fit_projection(embeddings).transform(embeddings))


@pytest.mark.parametrize("shape", [(1, 4), (2, 1), (5, 4), (0, 4)])
def test_few_rows_or_channels_give_finite_points(shape: tuple[int, int]) -> None:
    embeddings = np.ones(shape, np.float32)
    projection = fit_projection(embeddings)
    assert projection.transform(embeddings).shape == (shape[0], 2)
    assert np.isfinite(projection.transform(embeddings)).all()
