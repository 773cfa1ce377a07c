"""The map's axes: principal components, deterministic."""

import numpy as np
import pytest
from numpy.typing import NDArray

from api.core.arrays import l2_normalize
from api.insights.projection import fit_projection


def cloud(count: int = 300, channels: int = 40) -> NDArray[np.float32]:
    random = np.random.default_rng(3)
    spread = np.linspace(3, 0.1, channels)
    drawn: NDArray[np.float32] = (5 + random.normal(size=(count, channels)) * spread).astype(
        np.float32
    )
    return drawn


def test_the_axes_match_a_full_svd() -> None:
    embeddings = cloud()
    found = fit_projection(embeddings)
    rows = l2_normalize(embeddings)
    rows -= rows.mean(axis=0)
    _, scales, directions = np.linalg.svd(rows, full_matrices=False)
    variance = np.square(scales) / np.square(scales).sum()
    assert np.abs(np.sum(found.axes * directions[:2].T, axis=0)) == pytest.approx(1, abs=1e-3)
    assert found.explained == pytest.approx(variance[:2], rel=1e-3)


def test_the_map_does_not_depend_on_the_order() -> None:
    embeddings = cloud()
    points = fit_projection(embeddings).transform(embeddings)
    turned = fit_projection(embeddings[::-1]).transform(embeddings)
    assert np.allclose(points, turned, atol=1e-3)
    assert np.array_equal(points, fit_projection(embeddings).transform(embeddings))


@pytest.mark.parametrize("shape", [(1, 4), (2, 1), (5, 4), (0, 4)])
def test_few_rows_or_channels(shape: tuple[int, int]) -> None:
    embeddings = np.ones(shape, np.float32)
    found = fit_projection(embeddings)
    assert found.transform(embeddings).shape == (shape[0], 2)
    assert np.isfinite(found.transform(embeddings)).all()
