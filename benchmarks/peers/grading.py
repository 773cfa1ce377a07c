"""Decode, forward pass and head only: shared by the bare loop and the peers.

They run the engine and precision that the service runs: RIPELINE_ENGINE.
"""

from api.core.imaging.resize import to_input
from api.model.package import load_package
from api.model.predictor import Predictor
from api.settings import PROJECT, get_settings


def default_predictor() -> Predictor:
    """The default package on one core."""
    package = load_package(PROJECT / "models" / "default")
    return Predictor.of_package(package, threads=1, engine=get_settings().engine)


def describe_engine() -> str:
    """What runs the network of all that is measured here, except the baseline in Keras."""
    engine = default_predictor().engine
    assert engine is not None
    return f"{engine.name}, {engine.precision}"


class Grading:
    """The default package's probabilities of a file."""

    def __init__(self) -> None:
        self._predictor = default_predictor()

    def __call__(self, data: bytes) -> dict[str, float]:
        """The calibrated probability of each class."""
        predictor, manifest = self._predictor, self._predictor.manifest
        pixels = to_input(predictor.decode(data).image, manifest.input_size)
        found = predictor.probabilities(pixels)
        return dict(zip(manifest.classes, map(float, found), strict=True))
