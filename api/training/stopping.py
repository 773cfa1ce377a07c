"""When training ends, and which epoch's weights are kept."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from api.training import devices
from api.training.calibrate import fit_temperature, log_losses

CALIBRATED_LOSS = "val_calibrated_loss"
# Of the mean difference between two epochs: less than that many standard errors may be chance.
STANDARD_ERRORS = 2.0


def is_worse(losses: NDArray[np.float32], best: NDArray[np.float32]) -> bool:
    """Whether `losses` are higher on average than those of the `best` epoch, beyond chance.

    Both float32 [n], of the same photographs in the same order.
    """
    more = losses - best
    return bool(more.mean() > STANDARD_ERRORS * more.std() / np.sqrt(len(more)))


class KeepLatest(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types.
    """Validates after each epoch, and keeps the latest weights that are no worse than the best.

    Which of the last epochs has the lowest loss on a few hundred photographs is chance, and the
    learning rate falls: a later one is the better guess until the difference cannot be chance any
    more. After `patience` epochs that are worse, training ends.

    What is compared is the loss that is left once a temperature has been fitted: a network that
    goes on learning becomes too sure of itself, which raises its plain loss and does not matter,
    since calibration takes it back.

    `pixels` uint8 [n, size, size, 3], `wanted` float32 [n, classes]. Each epoch's figures get
    val_loss, val_accuracy and val_calibrated_loss.
    """

    def __init__(
        self, pixels: NDArray[np.uint8], wanted: NDArray[np.float32], patience: int
    ) -> None:
        super().__init__()
        self._pixels = pixels
        self._labels = wanted.argmax(axis=1)
        self._patience = patience
        self._best: NDArray[np.float32] | None = None
        self._kept: list[NDArray[np.float32]] | None = None
        self._worse = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        batch = devices.even(devices.PREDICT_BATCH)
        logits = self.model.predict(self._pixels, batch_size=batch, verbose=0)
        losses = log_losses(logits, self._labels, fit_temperature(logits, self._labels))
        logs["val_loss"] = float(log_losses(logits, self._labels).mean())
        logs["val_accuracy"] = float((logits.argmax(axis=1) == self._labels).mean())
        logs[CALIBRATED_LOSS] = float(losses.mean())
        if self._best is None or losses.mean() < self._best.mean():
            self._best = losses
        if is_worse(losses, self._best):
            self._worse += 1
            self.model.stop_training = self._worse >= self._patience
        else:
            self._worse = 0
            self._kept = self.model.get_weights()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.model.set_weights(self._kept)
