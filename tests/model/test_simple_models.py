"""The shipped grader compared with much simpler models, on its own held-out photos."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from api.model.package import REPLAY, Package, load_package
from api.model.replay_buffer import SURE_TARGET, ReplayBuffer
from api.settings import PROJECT

# The number of columns of `looks` that do not describe the file: brightness, saturation, hue.
COLOURS = 3


def rows(replay: ReplayBuffer, split: str) -> NDArray[np.bool_]:
    """The photos of a split whose class is certain: bool [n]."""
    wanted: NDArray[np.bool_] = (replay.splits == split) & (
        replay.targets.max(axis=1) > SURE_TARGET
    )
    return wanted


@pytest.fixture(scope="module")
def package() -> Package:
    return load_package(PROJECT / "models" / "default")


@pytest.fixture(scope="module")
def replay(package: Package) -> ReplayBuffer:
    return ReplayBuffer.load(package.folder / REPLAY)


@pytest.fixture(scope="module")
def labels(replay: ReplayBuffer) -> NDArray[np.int64]:
    best: NDArray[np.int64] = replay.targets.argmax(axis=1)
    return best


@pytest.fixture(scope="module")
def learned(replay: ReplayBuffer) -> NDArray[np.bool_]:
    return rows(replay, "train")


@pytest.fixture(scope="module")
def held_out(replay: ReplayBuffer) -> NDArray[np.bool_]:
    return rows(replay, "test")


@pytest.fixture(scope="module")
def accuracy(
    package: Package,
    replay: ReplayBuffer,
    labels: NDArray[np.int64],
    held_out: NDArray[np.bool_],
) -> float:
    """The shipped grader's accuracy."""
    predicted = package.head.probabilities(replay.embeddings[held_out]).argmax(axis=1)
    return float((predicted == labels[held_out]).mean())


def test_colour_and_brightness_are_not_enough(
    replay: ReplayBuffer,
    labels: NDArray[np.int64],
    learned: NDArray[np.bool_],
    held_out: NDArray[np.bool_],
    accuracy: float,
) -> None:
    looks = np.nan_to_num(replay.looks[:, :COLOURS], nan=0.5)
    simple = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    simple.fit(looks[learned], labels[learned])
    reached = simple.score(looks[held_out], labels[held_out])
    print(f"\ncolour {reached:.3f}, grader {accuracy:.3f}")
    assert reached < accuracy - 0.2


def test_nearest_class_mean_is_not_better(
    replay: ReplayBuffer,
    labels: NDArray[np.int64],
    learned: NDArray[np.bool_],
    held_out: NDArray[np.bool_],
    accuracy: float,
) -> None:
    """A model without trained heads."""
    means = [replay.embeddings[learned & (labels == k)].mean(axis=0) for k in np.unique(labels)]
    distances = np.linalg.norm(replay.embeddings[held_out, None] - np.array(means), axis=2)
    reached = (distances.argmin(axis=1) == labels[held_out]).mean()
    print(f"\nnearest class mean {reached:.3f}, grader {accuracy:.3f}")
    assert reached < accuracy
