"""Decode, forward pass and head only: shared by the bare loop and the peers."""

from api.core.imaging.resize import to_input
from api.model.package import load_package
from api.model.predictor import Predictor
from api.settings import PROJECT


class Grading:
    """The default package on one interpreter."""

    def __init__(self) -> None:
        self._predictor = Predictor.of_package(
            load_package(PROJECT / "models" / "default"), threads=1
        )

    def __call__(self, data: bytes) -> dict[str, float]:
        """The calibrated probability of each class."""
        predictor, manifest = self._predictor, self._predictor.manifest
        pixels = to_input(predictor.decode(data).image, manifest.input_size)
        found = predictor.probabilities(pixels)
        return dict(zip(manifest.classes, map(float, found), strict=True))
