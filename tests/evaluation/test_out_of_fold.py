from pathlib import Path

import numpy as np

from api.evaluation.graded import OutOfFold
from api.evaluation.out_of_fold import cached

P = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]], np.float32)
PREDICTIONS = OutOfFold(
    P, P[:, ::-1], np.array([-1, 0, 2], np.float32), {"noise": P[0], "blank": P[1]}
)


def test_predictions_are_cached(tmp_path: Path) -> None:
    calls = []

    def make() -> OutOfFold:
        calls.append(1)
        return PREDICTIONS

    for _ in range(2):
        predictions = cached(tmp_path / "new" / "fold.npz", make)
    assert calls == [1]
    assert predictions.probabilities.tolist() == P.tolist()
    assert predictions.uncalibrated.tolist() == P[:, ::-1].tolist()
    assert predictions.margins.tolist() == [-1, 0, 2]
    assert {kind: values.tolist() for kind, values in predictions.synthetic.items()} == {
        "noise": P[0].tolist(),
        "blank": P[1].tolist(),
    }
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["fold.npz"]
