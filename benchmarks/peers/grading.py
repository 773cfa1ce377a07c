"""Decode, forward pass and head only: shared by the bare loop and the peers.

They use the same engine and precision as the service: RIPELINE_ENGINE.
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
    """The engine of everything measured here except the Keras baseline."""
    engine = default_predictor().engine
    assert engine is not None
    return f"{engine.name}, {engine.precision}"


class Grading:
    """Grades files with the default package."""

    def __init__(self) -> None:
        self._predictor = default_predictor()

    def __call__(self, data: bytes) -> dict[str, float]:
        """The calibrated probability of each class."""
        predictor, manifest = self._predictor, self._predictor.manifest
        pixels = to_input(predictor.decode(data).image, manifest.input_size)
        found = predictor.probabilities(pixels)
        return dict(zip(manifest.classes, map(float, found), strict=True))
