"""When training ends, and which epoch's weights are kept."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from api.training.stopping import KeepLatest, is_worse

WANTED = np.eye(3, dtype=np.float32)[[0, 1, 2, 0] * 25]
# Three of four are right.
SAID = np.eye(3, dtype=np.float32)[[0, 1, 2, 1] * 25]
# Every one is wrong.
LOST = np.eye(3, dtype=np.float32)[[1, 2, 0, 1] * 25]


class Network:
    """Says of an epoch's pictures what it is told to; its weights are the number of the epoch."""

    stop_training = False

    def __init__(self) -> None:
        self.epoch = 0
        self.logits = SAID

    def predict(self, pixels: NDArray[np.uint8], **_: Any) -> NDArray[np.float32]:
        return self.logits[: len(pixels)]

    def get_weights(self) -> int:
        return self.epoch

    def set_weights(self, epoch: int) -> None:
        self.epoch = epoch


def trained(
    *said: NDArray[np.float32], patience: int = 2
) -> tuple[Network, list[dict[str, float]]]:
    """A network that says one thing after each epoch, and the figures of these epochs."""
    network, figures = Network(), []
    callback = KeepLatest(np.zeros((len(WANTED), 8, 8, 3), np.uint8), WANTED, patience)
    callback.set_model(network)
    for epoch, logits in enumerate(said):
        network.epoch, network.logits = epoch, logits
        figures.append({"loss": 0.5})
        callback.on_epoch_end(epoch, figures[-1])
        if network.stop_training:
            break
    callback.on_train_end()
    return network, figures


def test_what_is_said_of_an_epoch() -> None:
    (figures,) = trained(SAID)[1]
    right, wrong = np.log(1 + 2 / np.e), np.log(np.e + 2)
    assert figures["val_loss"] == pytest.approx((3 * right + wrong) / 4)
    assert figures["val_accuracy"] == 0.75
    assert figures["loss"] == 0.5


def test_being_too_sure_does_not_count() -> None:
    network, (quiet, loud) = trained(SAID * 2, SAID * 12)
    assert loud["val_loss"] > 1.5 * quiet["val_loss"]
    assert network.epoch == 1


def test_the_latest_is_kept_until_it_is_worse_beyond_chance() -> None:
    little_worse = SAID.copy()
    little_worse[0] = (0, 1, 0)
    _, (first, second) = trained(SAID, little_worse)
    assert second["val_accuracy"] < first["val_accuracy"]
    assert trained(SAID, little_worse)[0].epoch == 1
    assert trained(SAID, LOST)[0].epoch == 0
    assert trained(LOST, SAID, little_worse, LOST)[0].epoch == 2


def test_training_ends_after_epochs_that_are_worse_one_after_the_other() -> None:
    network, figures = trained(SAID, LOST, SAID, LOST, LOST, SAID)
    assert (network.stop_training, len(figures), network.epoch) == (True, 5, 2)
    assert not trained(SAID, LOST, SAID, LOST)[0].stop_training


@pytest.mark.parametrize(
    ("lost", "gained", "worse"),
    [(0, 0, False), (4, 0, False), (5, 0, True), (10, 4, False), (12, 3, True), (3, 12, False)],
)
def test_what_may_be_chance(lost: int, gained: int, worse: bool) -> None:
    """By hand: the difference against twice the root of those that changed."""
    best = np.arange(100) < 50
    right = best.copy()
    right[:lost] = False
    right[50 : 50 + gained] = True
    assert is_worse(right, best) is worse
