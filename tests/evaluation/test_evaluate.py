import json

import numpy as np

from api.core.metrics import evaluate

CLASSES = ("freshapples", "freshbanana", "rottenapples", "rottenbanana")


def test_counts_what_was_right_in_each_way() -> None:
    labels = np.array([0, 1, 2, 3])
    predicted = np.array([0, 3, 2, 2])
    scores = evaluate(np.eye(4, dtype=np.float32)[predicted], labels, CLASSES, list("abcd"))
    assert scores["accuracy"] == 0.5
    assert scores["fruit_accuracy"] == 0.75
    assert scores["freshness_accuracy"] == 0.75
    assert scores["per_class"]["freshapples"]["recall"] == 1
    assert scores["per_class"]["rottenapples"]["precision"] == 0.5
    assert scores["confusion_matrix"][1] == [0, 0, 0, 1]
    json.dumps(scores)


def test_freshness_is_left_out_where_classes_do_not_speak_of_it() -> None:
    scores = evaluate(np.eye(2, dtype=np.float32), np.array([0, 1]), ("cat", "dog"), ["a", "b"])
    assert "freshness_accuracy" not in scores
