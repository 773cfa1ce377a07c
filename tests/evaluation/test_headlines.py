from api.evaluation.summary import headlines


def test_each_headline_stands_with_its_interval() -> None:
    scores = {
        "split": "test",
        "accuracy": 0.9,
        "accuracy_interval_95": [0.8, 0.95],
        "auroc": 0.99,
        "known_rejected": None,
        "per_class": {},
    }
    assert headlines(scores) == {
        "accuracy": {"value": 0.9, "from": 0.8, "to": 0.95},
        "auroc": {"value": 0.99, "from": None, "to": None},
    }
