from api.evaluation.summary import summary_lines, summary_table

SOURCE = {"accuracy": 0.9, "accuracy_interval_95": [0.85, 0.95], "expected_calibration_error": 0.02}


def test_missing_metrics_are_left_out() -> None:
    assert summary_lines({"recipe": {}, "data": {}}) == []
    (line,) = summary_lines({"by_photograph": {**SOURCE, "split": "five", "wrong_and_sure": None}})
    assert line == (
        "Five folds: accuracy 90.00% (85.0% to 95.0%), expected calibration error 2.00% [five]."
    )


def test_each_left_out_source_has_a_line() -> None:
    scores = {
        **SOURCE,
        "split": "left out",
        "mean_of_sources": {"accuracy": 0.8},
        "by_source": {"shop": {"accuracy": 0.7}, "": {"accuracy": None}},
        "per_class": [{"class": "rottenapples", "accuracy": 0.6}],
        "freshness_pairs": {"fresh over past_best": {"ordered": 0.5, "told_apart": False}},
        "rejection": {"near_rejected_at_98": 0.92, "split": "not repeated"},
    }
    lines = summary_lines({"leave_one_source_out": scores})
    assert lines[0].startswith("Leave one source out: accuracy 90.00%")
    assert lines[1:] == [
        "  Mean of sources: accuracy 80.00%.",
        "  Without shop: accuracy 70.00%.",
        "  Without the folders of no source: nothing measured.",
        "  Worst class: rotten apple, accuracy 60.00%.",
        "  fresh over past best: ordered 50.00%; not told apart.",
        "  Refused: near rejected at 98 92.00%.",
    ]


def test_table_has_intervals() -> None:
    scores = {
        "split": "test",
        "accuracy": 0.9,
        "accuracy_interval_95": [0.8, 0.95],
        "auroc": 0.99,
        "known_rejected": None,
        "per_class": {},
    }
    assert summary_table(scores) == {
        "accuracy": {"value": 0.9, "from": 0.8, "to": 0.95},
        "auroc": {"value": 0.99, "from": None, "to": None},
    }
