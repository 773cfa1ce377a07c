"""Accuracies are found wherever a package puts them, each with what it was measured on."""

from accuracies import accuracies


def test_every_accuracy_is_told_with_its_place() -> None:
    metrics = {
        "by_photograph": {
            "accuracy": 0.981,
            "files": 3000,
            "photographs": 1278,
            "confusion": [[1, 2]],
        },
        "phone": {"kept_back": {"accuracy": 0.876, "loss": 0.4}, "apart": {"accuracy": "unknown"}},
        "accuracy": None,
    }

    assert accuracies(metrics) == [
        ("By photograph", "98.1 % of 3,000 files of 1,278 photographs"),
        ("Phone, kept back", "87.6 %"),
    ]


def test_a_single_accuracy_needs_no_place() -> None:
    assert accuracies({"accuracy": 1}) == [("Accuracy", "100.0 %")]
