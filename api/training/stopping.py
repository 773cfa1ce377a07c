"""When training ends, and which epoch's weights are kept."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from api.training import devices
from api.training.calibrate import log_losses

# Of two epochs that are equally good, nineteen in twenty differ by less than so many.
STANDARD_ERRORS = 2.0


def is_worse(right: NDArray[np.bool_], best: NDArray[np.bool_]) -> bool:
    """Whether fewer are `right` than were in the `best` epoch, beyond chance.

    Both bool [n], of the same photographs in the same order. Source: Q. McNemar, "Note on the
    sampling error of the difference between correlated proportions" (1947).
    """
    lost, gained = int((best & ~right).sum()), int((right & ~best).sum())
    return bool(lost - gained > STANDARD_ERRORS * np.sqrt(lost + gained))


class KeepLatest(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types.
    """Validates after each epoch, and keeps the latest weights that are no worse than the best.

    Which of the last epochs is right most often on a few hundred photographs is chance, and the
    learning rate falls: a later one is the better guess until the difference cannot be chance any
    more. After `patience` epochs that are worse, training ends.

    The loss is no guide: it rises where a network becomes too sure of itself, which calibration
    takes back, and where one photograph is wrong with much confidence.

    `pixels` uint8 [n, size, size, 3], `wanted` float32 [n, classes]. Each epoch's figures get
    val_loss and val_accuracy.
    """

    def __init__(
        self, pixels: NDArray[np.uint8], wanted: NDArray[np.float32], patience: int
    ) -> None:
        super().__init__()
        self._pixels = pixels
        self._labels = wanted.argmax(axis=1)
        self._patience = patience
        self._best = np.zeros(len(pixels), bool)
        self._kept: list[NDArray[np.float32]] | None = None
        self._worse = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        batch = devices.even(devices.PREDICT_BATCH)
        logits = self.model.predict(self._pixels, batch_size=batch, verbose=0)
        right = logits.argmax(axis=1) == self._labels
        logs["val_loss"] = float(log_losses(logits, self._labels).mean())
        logs["val_accuracy"] = float(right.mean())
        if right.sum() >= self._best.sum():
            self._best = right
        if is_worse(right, self._best):
            self._worse += 1
            self.model.stop_training = self._worse >= self._patience
        else:
            self._worse = 0
            self._kept = self.model.get_weights()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.model.set_weights(self._kept)
