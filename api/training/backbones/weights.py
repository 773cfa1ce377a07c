"""Weight files and the errors of loading weights.

Only HDF5 files that `save_weights` wrote are accepted; they contain just arrays and names. Formats
that can carry code (`.keras` with Lambda layers, pickles) are refused by their suffix.
"""

import warnings
from http import HTTPStatus
from pathlib import Path

import keras

from api.core.errors import ProblemError

SUFFIX = ".weights.h5"


class UnknownWeightsError(ProblemError):
    code = "unknown-weights"

    def __init__(self, architecture: str, weights: str, has_imagenet: bool) -> None:
        names = "imagenet, none" if has_imagenet else "none"
        super().__init__(
            f"There are no weights {weights!r} for {architecture}. Choose {names} or the path of "
            f"a {SUFFIX} file."
        )


class ImagenetUnavailableError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "imagenet-unavailable"

    def __init__(self, architecture: str, reason: Exception) -> None:
        super().__init__(
            f"The ImageNet weights of {architecture} could not be downloaded ({reason}). Connect "
            "to the internet once (Keras keeps the file under ~/.keras/models, where you may also "
            f"put it yourself), or choose the weights none, the path of a {SUFFIX} file, or the "
            "architecture efficientnet_lite0, whose weights are installed."
        )


class BadWeightsFileError(ProblemError):
    code = "bad-weights-file"

    def __init__(self, architecture: str, path: Path, reason: Exception) -> None:
        super().__init__(
            f"{path} does not fit {architecture}: it must be what save_weights of that network, "
            f"without classifier, wrote. Keras says: {str(reason).splitlines()[0]}"
        )


def is_weights_file(weights: str) -> bool:
    return weights.endswith(SUFFIX) and Path(weights).is_file()


def load_file(network: keras.Model, architecture: str, path: Path) -> None:
    """Load the file into `network`, in place. Raises BadWeightsFileError."""
    with warnings.catch_warnings():
        # Keras warns about groups that weight files never have, and raises if a layer gets nothing.
        warnings.filterwarnings("ignore", "Skipping nested container", UserWarning)
        try:
            network.load_weights(path)
        except (OSError, KeyError, ValueError) as error:
            raise BadWeightsFileError(architecture, path, error) from error
