"""The same model behind BentoML: `bentoml serve benchmarks.peers.bento:Grader` (.venv-bench)."""

from pathlib import Path

import bentoml

from benchmarks.peers.grading import Grading


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Grader:
    def __init__(self) -> None:
        self.grading = Grading()

    @bentoml.api
    def predict(self, file: Path) -> dict[str, object]:
        probabilities = self.grading(file.read_bytes())
        best = max(probabilities, key=lambda name: probabilities[name])
        return {
            "predicted_class": best,
            "confidence": probabilities[best],
            "probabilities": probabilities,
        }
