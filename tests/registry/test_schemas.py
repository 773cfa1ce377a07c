"""Metrics of one version and of two compared versions, including missing metrics."""

import json

import pytest

from api.model.package import MANIFEST
from api.registry.schemas import Headlines, class_differences, differences
from tests.registry.samples import describer
from tests.registry.versions import DEFAULT

SHIPPED = json.loads((DEFAULT / MANIFEST).read_text())
UNMEASURED = describer()({}).model_dump(mode="json")


def test_headlines_name_their_split() -> None:
    summary = Headlines.of(SHIPPED)
    assert summary.split is not None
    assert "not seen in training" in summary.split
    assert summary.macro_f1 == SHIPPED["metrics"]["test_by_photograph"]["macro_f1"]
    assert summary.files is not None


def test_missing_metrics_are_null() -> None:
    assert set(Headlines.of(UNMEASURED).model_dump().values()) == {None}
    assert differences(UNMEASURED, UNMEASURED) == []
    assert class_differences(UNMEASURED, SHIPPED) == []


def test_differences_are_second_minus_first() -> None:
    worse = json.loads(json.dumps(SHIPPED))
    scores = worse["metrics"]["test_by_photograph"]
    scores["accuracy"] -= 0.1
    del scores["macro_f1"]
    scores["per_class"]["rottenapples"]["recall"] -= 0.2
    del scores["per_class"]["freshbanana"]

    rows = {row.name: row for row in differences(SHIPPED, worse)}
    assert rows["accuracy"].difference == pytest.approx(-0.1)
    assert rows["accuracy"].better == "higher"
    assert (rows["macro_f1"].b, rows["macro_f1"].difference) == (None, None)
    assert rows["expected_calibration_error"].difference == 0
    assert rows["expected_calibration_error"].better == "lower"

    classes = {row.class_name: row.figures for row in class_differences(SHIPPED, worse)}
    assert len(classes) == 5
    recall = next(row for row in classes["rottenapples"] if row.name == "recall")
    assert recall.difference == pytest.approx(-0.2)
