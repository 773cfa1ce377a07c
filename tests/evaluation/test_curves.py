import numpy as np
import pytest
from sklearn.metrics import auc

from api.core.arrays import softmax
from api.evaluation.curves import MOST_POINTS, precision_recall_curves, reliability, roc_curves

CLASSES = ("a", "b", "c")


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities [3000, 3] that are right more often than not, and the labels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 3000)
    logits = np.eye(3)[labels] * 2 + rng.normal(0, 1, (3000, 3))
    return softmax(logits.astype(np.float32)), labels


def test_a_thinned_curve_is_small_and_encloses_the_same_area(
    answers: tuple[np.ndarray, np.ndarray],
) -> None:
    roc = roc_curves(*answers, CLASSES)
    pr = precision_recall_curves(*answers, CLASSES)
    for name in CLASSES:
        x, y = roc[name]["false_positive_rate"], roc[name]["true_positive_rate"]
        assert len(x) == len(y) <= MOST_POINTS + 2
        assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
        assert auc(x, y) == pytest.approx(roc[name]["auc"], abs=0.005)
        recall, precision = pr[name]["recall"], pr[name]["precision"]
        assert len(recall) <= MOST_POINTS + 2
        assert auc(recall, precision) == pytest.approx(pr[name]["average_precision"], abs=0.01)


def test_a_perfect_grader_fills_the_square() -> None:
    curves = roc_curves(np.eye(3, dtype=np.float32), np.arange(3), CLASSES)
    assert curves["b"]["auc"] == 1
    assert max(curves["b"]["true_positive_rate"]) == 1


def test_a_class_without_files_has_no_curve() -> None:
    probabilities = np.full((4, 3), 1 / 3, np.float32)
    assert set(roc_curves(probabilities, np.array([0, 0, 1, 1]), CLASSES)) == {"a", "b"}
    assert precision_recall_curves(probabilities, np.zeros(4, int), CLASSES) == {}


def test_reliability_counts_each_answer_in_its_bin() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.45, 0.55], [1.0, 0.0]], np.float32)
    rows = reliability(probabilities, np.array([0, 1, 1, 0]))
    assert [row["files"] for row in rows] == [1, 2, 1]
    assert [row["accuracy"] for row in rows] == [1, 0.5, 1]
    assert rows[1]["low"] <= rows[1]["confidence"] <= rows[1]["high"]
    assert rows[-1]["high"] == 1
