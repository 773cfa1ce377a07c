"""Decode, forward, head, and nothing else: what the bare loop and the peers have in common."""

from api.model.package import load_package
from api.model.predictor import Predictor
from api.settings import PROJECT


class Grading:
    """The default package on one interpreter."""

    def __init__(self) -> None:
        self._runtime = Predictor.of_package(
            load_package(PROJECT / "models" / "default"), threads=1
        )

    def __call__(self, data: bytes) -> dict[str, float]:
        """The calibrated probability of each class."""
        found = self._runtime.probabilities(self._runtime.core(self._runtime.pre(data)))
        return dict(zip(self._runtime.manifest.classes, map(float, found), strict=True))
