"""The replay comes back to within one step of its quantisation, and cannot run code."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from api.registry.replay import LOOKS, STEPS, Replay
from tests.registry.samples import a_replay


def test_embeddings_come_back_to_half_a_step_of_their_channel(tmp_path: Path) -> None:
    """Channels differ in range by far, and some go below zero; each has a scale of its own."""
    replay = a_replay(200)
    replay.embeddings[:, 0] -= replay.embeddings[:, 0].mean()
    replay.save(tmp_path / "replay.npz")
    loaded = Replay.load(tmp_path / "replay.npz")
    step = np.ptp(replay.embeddings, axis=0) / STEPS
    assert loaded.embeddings.dtype == np.float32
    assert (np.abs(loaded.embeddings - replay.embeddings) <= 0.51 * step).all()
    assert np.allclose(loaded.embeddings.max(axis=0), replay.embeddings.max(axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    "field",
    ["targets", "splits", "photographs", "sha256", "signatures", "looks", "copies", "catalog"],
)
def test_all_else_comes_back_as_it_was(tmp_path: Path, field: str) -> None:
    replay = a_replay(7)
    replay.save(tmp_path / "replay.npz")
    loaded = getattr(Replay.load(tmp_path / "replay.npz"), field)
    assert loaded.dtype == getattr(replay, field).dtype
    assert loaded.tolist() == getattr(replay, field).tolist()


def test_others_and_views_come_back_nearly_as_they_were(tmp_path: Path) -> None:
    views = np.linspace(0, 300, 2 * a_replay().embeddings.shape[1], dtype=np.float32)
    replay = replace(a_replay(), views=views.reshape(2, -1), view_of=np.array([1, 1], np.int32))
    replay.save(tmp_path / "replay.npz")
    loaded = Replay.load(tmp_path / "replay.npz")
    assert np.allclose(loaded.others, replay.others, rtol=1e-3)
    assert np.allclose(loaded.views, replay.views, rtol=1e-3)
    assert [len(loaded.seen(row)) for row in range(3)] == [1, 3, 1]
    assert loaded.others.dtype == loaded.views.dtype == np.float32


def test_a_file_of_before_has_no_catalog_and_no_views(tmp_path: Path) -> None:
    path = tmp_path / "replay.npz"
    a_replay().save(path)
    with np.load(path) as arrays:
        old = {name: arrays[name] for name in arrays.files}
    for name in ("catalog", "others", "views", "view_of", "looks", "copies"):
        del old[name]
    np.savez(path, **old)
    loaded = Replay.load(path)
    assert not loaded.catalog.any()
    assert len(loaded.others) == len(loaded.views) == len(loaded.view_of) == 0
    assert len(loaded.seen(0)) == 1


def test_a_channel_that_is_always_zero_stays_zero(tmp_path: Path) -> None:
    replay = a_replay()
    replay.embeddings[:, 1] = 0
    replay.save(tmp_path / "replay.npz")
    assert (Replay.load(tmp_path / "replay.npz").embeddings[:, 1] == 0).all()


def test_a_file_from_before_looks_were_kept_says_that_they_are_not_known(tmp_path: Path) -> None:
    a_replay().save(tmp_path / "replay.npz")
    with np.load(tmp_path / "replay.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files if name not in ("looks", "copies")}
    np.savez(tmp_path / "replay.npz", **kept)
    loaded = Replay.load(tmp_path / "replay.npz")
    assert loaded.looks.shape == (5, len(LOOKS))
    assert np.isnan(loaded.looks).all()
    assert loaded.copies.tolist() == [0] * 5


def test_no_array_needs_a_pickle(tmp_path: Path) -> None:
    a_replay().save(tmp_path / "replay.npz")
    with np.load(tmp_path / "replay.npz", allow_pickle=False) as arrays:
        assert not any(arrays[name].dtype.hasobject for name in arrays.files)
        assert arrays["quantised"].dtype == np.uint8


def test_a_pickle_in_the_file_is_not_run(tmp_path: Path) -> None:
    np.savez(tmp_path / "replay.npz", quantised=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        Replay.load(tmp_path / "replay.npz")
