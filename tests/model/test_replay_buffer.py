"""The replay buffer round-trips within its quantization and cannot execute code."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from api.model.package import BadPackageError
from api.model.replay_buffer import APPEARANCE_COLUMNS, QUANTIZATION_STEPS, OodSamples, ReplayBuffer
from tests.registry.samples import CHANNELS, a_replay


def test_embeddings_round_trip_to_half_a_quantization_step(tmp_path: Path) -> None:
    """Channels differ widely in range, and some are negative; each has its own scale."""
    none = OodSamples.of_embeddings(np.empty((0, CHANNELS), np.float32))
    replay = replace(a_replay(200), others=none)
    replay.embeddings[:, 0] -= replay.embeddings[:, 0].mean()
    replay.save(tmp_path / "replay.npz")
    loaded = ReplayBuffer.load(tmp_path / "replay.npz")
    step = np.ptp(replay.embeddings, axis=0) / QUANTIZATION_STEPS
    assert loaded.embeddings.dtype == np.float32
    assert (np.abs(loaded.embeddings - replay.embeddings) <= 0.51 * step).all()
    assert np.allclose(loaded.embeddings.max(axis=0), replay.embeddings.max(axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    "field",
    [
        *("targets", "splits", "photographs", "sha256", "signatures", "catalog"),
        *("looks", "copies", "sources"),
    ],
)
def test_other_columns_round_trip_exactly(tmp_path: Path, field: str) -> None:
    replay = a_replay(7)
    replay.save(tmp_path / "replay.npz")
    loaded = getattr(ReplayBuffer.load(tmp_path / "replay.npz"), field)
    assert loaded.dtype == getattr(replay, field).dtype
    assert loaded.tolist() == getattr(replay, field).tolist()


def test_ood_samples_round_trip(tmp_path: Path) -> None:
    replay = a_replay()
    # Far outside the range of the rows, with which they share a scale.
    replay.others.embeddings[0] = [-900, 50, 20, 9000]
    replay.save(tmp_path / "replay.npz")
    loaded = ReplayBuffer.load(tmp_path / "replay.npz")
    both = np.concatenate([replay.embeddings, replay.others.embeddings])
    step = np.ptp(both, axis=0) / QUANTIZATION_STEPS
    assert (np.abs(loaded.embeddings - replay.embeddings) <= 0.51 * step).all()
    assert (np.abs(loaded.others.embeddings - replay.others.embeddings) <= 0.51 * step).all()
    assert loaded.others.embeddings.dtype == loaded.others.freshness.dtype == np.float32
    assert loaded.others.groups.tolist() == ["other/guava", "other/lemon", "far/stühle.jpg"]
    assert loaded.others.splits.tolist() == ["train", "validation", "train"]
    assert np.array_equal(loaded.others.freshness, [0, 1, np.nan], equal_nan=True)


def test_ood_samples_are_selected_and_concatenated() -> None:
    others = a_replay().others
    some = others.rows(others.splits == "train")
    assert some.groups.tolist() == ["other/guava", "far/stühle.jpg"]
    both = OodSamples.join([some, OodSamples.of_embeddings(others.embeddings[:1], "test")])
    assert len(both) == 3
    assert np.array_equal(both.embeddings, others.embeddings[[0, 2, 0]])
    assert both.groups.tolist() == ["other/guava", "far/stühle.jpg", ""]
    assert both.splits.tolist() == ["train", "train", "test"]
    assert np.array_equal(both.freshness, [0, np.nan, np.nan], equal_nan=True)


def test_views_round_trip_in_half_precision(tmp_path: Path) -> None:
    views = np.linspace(0, 300, 2 * a_replay().embeddings.shape[1], dtype=np.float32)
    replay = replace(a_replay(), views=views.reshape(2, -1), view_of=np.array([1, 1], np.int32))
    replay.save(tmp_path / "replay.npz")
    loaded = ReplayBuffer.load(tmp_path / "replay.npz")
    assert np.allclose(loaded.views, replay.views, rtol=1e-3)
    assert [len(loaded.with_views(row)) for row in range(3)] == [1, 3, 1]
    assert loaded.views.dtype == np.float32


def as_of_old(path: Path, *later: str, **more: NDArray[Any]) -> None:
    """Turn a file into an older version's, without the columns `later` and with those of older
    ones."""
    with np.load(path) as arrays:
        old = {name: arrays[name] for name in arrays.files if not name.startswith(later)}
    np.savez(path, **{**old, **more})


def test_older_file_has_no_catalog_and_no_views(tmp_path: Path) -> None:
    path = tmp_path / "replay.npz"
    a_replay().save(path)
    as_of_old(path, "catalog", "other", "view", "looks", "copies", "sources")
    loaded = ReplayBuffer.load(path)
    assert not loaded.catalog.any()
    assert len(loaded.others) == len(loaded.views) == len(loaded.view_of) == 0
    assert loaded.others.embeddings.shape == (0, CHANNELS)
    assert len(loaded.with_views(0)) == 1


def test_older_file_has_unknown_sources_and_groups(tmp_path: Path) -> None:
    """Their split is unknown, so all count as training samples."""
    path, replay = tmp_path / "replay.npz", a_replay()
    replay.save(path)
    as_of_old(path, "sources", "other", others=replay.others.embeddings.astype(np.float16))
    loaded = ReplayBuffer.load(path)
    assert loaded.sources.tolist() == [""] * 5
    assert np.allclose(loaded.others.embeddings, replay.others.embeddings, rtol=1e-3)
    assert loaded.others.embeddings.dtype == np.float32
    assert loaded.others.groups.tolist() == [""] * 3
    assert loaded.others.splits.tolist() == ["train"] * 3
    assert np.isnan(loaded.others.freshness).all()
    loaded.save(path)
    assert len(ReplayBuffer.load(path).others) == 3


def test_constant_zero_channel_stays_zero(tmp_path: Path) -> None:
    replay = a_replay()
    replay.embeddings[:, 1] = replay.others.embeddings[:, 1] = 0
    replay.save(tmp_path / "replay.npz")
    assert (ReplayBuffer.load(tmp_path / "replay.npz").embeddings[:, 1] == 0).all()


def test_older_file_has_unknown_appearance(tmp_path: Path) -> None:
    a_replay().save(tmp_path / "replay.npz")
    as_of_old(tmp_path / "replay.npz", "looks", "copies")
    loaded = ReplayBuffer.load(tmp_path / "replay.npz")
    assert loaded.looks.shape == (5, len(APPEARANCE_COLUMNS))
    assert np.isnan(loaded.looks).all()
    assert loaded.copies.tolist() == [0] * 5


def test_older_file_knows_of_no_judgement(tmp_path: Path) -> None:
    a_replay().save(tmp_path / "replay.npz")
    with np.load(tmp_path / "replay.npz") as arrays:
        retired = [name for name in arrays.files if name.startswith("retired_")]
    as_of_old(tmp_path / "replay.npz", "first_class", "first_right", "contradicted", *retired)
    loaded = ReplayBuffer.load(tmp_path / "replay.npz")
    assert set(loaded.first_class.tolist()) == {""}
    assert set(loaded.first_right.tolist()) == {-1}
    assert not loaded.contradicted.any()
    assert not len(loaded.retired)


def test_arrays_load_without_pickle(tmp_path: Path) -> None:
    a_replay().save(tmp_path / "replay.npz")
    with np.load(tmp_path / "replay.npz", allow_pickle=False) as arrays:
        assert not any(arrays[name].dtype.hasobject for name in arrays.files)
        assert arrays["quantised"].dtype == np.uint8


def test_pickle_in_the_file_is_not_executed(tmp_path: Path) -> None:
    np.savez(tmp_path / "replay.npz", quantised=np.array([print], dtype=object))
    with pytest.raises(BadPackageError, match="holds objects"):
        ReplayBuffer.load(tmp_path / "replay.npz")
