from pathlib import Path

import numpy as np

from api.core.layout import FAR, NEAR
from api.evaluation.graded import GradedSamples, OutOfFold
from api.training.samples import Sample

P = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]], np.float32)
PREDICTIONS = OutOfFold(
    P, P[:, ::-1], np.array([-1, 0, 2], np.float32), {"noise": P[0], "blank": P[1]}
)


def test_score_at_the_threshold_is_recognised() -> None:
    assert PREDICTIONS.recognised.tolist() == [True, True, False]


def test_parts_are_joined_in_order_and_rows_selected() -> None:
    other = OutOfFold(P[:1], P[:1], np.array([7], np.float32), {"noise": P[2]})
    joined = OutOfFold.join([PREDICTIONS, other])
    assert joined.margins.tolist() == [-1, 0, 2, 7]
    assert list(joined.synthetic) == ["noise"]
    assert len(joined.synthetic["noise"]) == 4
    selected = joined.rows(np.array([False, True, False, True]))
    assert selected.margins.tolist() == [0, 7]
    assert selected.probabilities.tolist() == [P[1].tolist(), P[0].tolist()]


def test_near_and_far_are_selected_by_group() -> None:
    path = (Path("1.jpg"),)
    samples = [
        Sample(path, (1.0, 0.0), group="other/odd name of a photograph"),
        Sample(path, (), group=f"{NEAR}pear"),
        Sample(path, (), group=f"{FAR}1.jpg"),
    ]
    graded = GradedSamples(samples, PREDICTIONS, ("a", "b"))
    near, far = graded.ood_margins(NEAR), graded.ood_margins(FAR)
    assert (near.values.tolist(), near.groups) == ([0], ["other/pear"])
    assert (far.values.tolist(), far.groups) == ([2], ["far/1.jpg"])
