"""The replay comes back to within one step of its quantisation, and cannot run code."""

from pathlib import Path

import numpy as np
import pytest

from api.registry.replay import STEPS, Replay
from tests.registry.samples import a_replay


def test_embeddings_come_back_to_half_a_step_of_their_channel(tmp_path: Path) -> None:
    """Channels differ in range by far; each has a scale of its own."""
    replay = a_replay(200)
    replay.save(tmp_path / "replay.npz")
    loaded = Replay.load(tmp_path / "replay.npz")
    step = replay.embeddings.max(axis=0) / STEPS
    assert loaded.embeddings.dtype == np.float32
    assert (np.abs(loaded.embeddings - replay.embeddings) <= 0.51 * step).all()
    assert np.allclose(loaded.embeddings.max(axis=0), replay.embeddings.max(axis=0), rtol=1e-5)


def test_features_below_zero_come_back_too(tmp_path: Path) -> None:
    """EfficientNetB0 ends in a swish, which goes down to -0.28."""
    replay = a_replay(200)
    replay.embeddings[:] -= 0.28
    replay.save(tmp_path / "replay.npz")
    loaded = Replay.load(tmp_path / "replay.npz")
    step = np.ptp(replay.embeddings, axis=0).max() / STEPS
    assert np.abs(loaded.embeddings - replay.embeddings).max() <= 0.51 * step


def test_a_replay_of_an_older_package_is_read(tmp_path: Path) -> None:
    """Before there were features below zero, the file had no `low`."""
    replay = a_replay(5)
    replay.save(tmp_path / "replay.npz")
    with np.load(tmp_path / "replay.npz", allow_pickle=False) as arrays:
        older = {name: arrays[name] for name in arrays.files if name != "low"}
    np.savez(tmp_path / "older.npz", **older)
    now, before = (Replay.load(tmp_path / name) for name in ("replay.npz", "older.npz"))
    assert np.array_equal(now.embeddings, before.embeddings)


@pytest.mark.parametrize("field", ["targets", "splits", "photographs", "sha256", "signatures"])
def test_all_else_comes_back_as_it_was(tmp_path: Path, field: str) -> None:
    replay = a_replay(7)
    replay.save(tmp_path / "replay.npz")
    loaded = getattr(Replay.load(tmp_path / "replay.npz"), field)
    assert loaded.dtype == getattr(replay, field).dtype
    assert loaded.tolist() == getattr(replay, field).tolist()


def test_a_channel_that_is_always_zero_stays_zero(tmp_path: Path) -> None:
    replay = a_replay()
    replay.embeddings[:, 1] = 0
    replay.save(tmp_path / "replay.npz")
    assert (Replay.load(tmp_path / "replay.npz").embeddings[:, 1] == 0).all()


def test_no_array_needs_a_pickle(tmp_path: Path) -> None:
    a_replay().save(tmp_path / "replay.npz")
    with np.load(tmp_path / "replay.npz", allow_pickle=False) as arrays:
        assert not any(arrays[name].dtype.hasobject for name in arrays.files)
        assert arrays["quantised"].dtype == np.uint8


def test_a_pickle_in_the_file_is_not_run(tmp_path: Path) -> None:
    np.savez(tmp_path / "replay.npz", quantised=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        Replay.load(tmp_path / "replay.npz")
