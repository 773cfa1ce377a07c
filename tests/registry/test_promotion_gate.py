"""The promotion gate, case by case."""

import dataclasses
import json

import pytest

from api.core.paired_comparison import (
    LabelAgreement,
    MetricPair,
    PairedCounts,
)
from api.registry.promotion_gate import judge, judge_first
from tests.registry.gate_cases import CASES, FAIR


@pytest.mark.parametrize("name", CASES)
def test_gate_verdict(name: str) -> None:
    changes, reason = CASES[name]
    verdict = judge(dataclasses.replace(FAIR, **changes))
    assert verdict.promote is not bool(reason), verdict.reasons
    assert reason in verdict.reasons[0]
    if reason:
        assert len(verdict.reasons) == 1
    assert all(text.endswith(".") for text in verdict.reasons)


def test_first_package_must_reach_the_floors() -> None:
    """Although it is as good as its only rival, itself."""
    poor = dataclasses.replace(FAIR, per_source={"phone": PairedCounts(40, 20, 0, 0)})
    assert judge(poor).promote
    verdict = judge_first(poor)
    assert not verdict.promote
    assert verdict.reasons == ["It is right on too few of photos from phone: 20 of 40."]
    assert judge_first(FAIR).promote


def test_verdict_lists_every_objection() -> None:
    verdict = judge(
        dataclasses.replace(
            FAIR,
            calibration_error=MetricPair(0.01, 0.09),
            milliseconds=MetricPair(5.0, 9.0),
            new_classes={"plum": LabelAgreement(60, 20)},
        )
    )
    assert not verdict.promote
    assert len(verdict.reasons) == 3


def test_verdict_is_json_serializable() -> None:
    verdict = judge(dataclasses.replace(FAIR, new_labels={"apple": LabelAgreement(50, 15, 8, 3)}))
    read = json.loads(json.dumps(dataclasses.asdict(verdict)))
    assert read["promote"] is False
    assert read["figures"]["overall"]["lost"] == 2
    assert read["figures"]["new_labels"]["apple"]["left_out_right"] == 15


def test_mcnemar_test_is_exact() -> None:
    assert PairedCounts(100, 90, 5, 0).mcnemar_p == 1 / 32
    assert PairedCounts(100, 90, 0, 5).mcnemar_p == 1.0
    assert PairedCounts(100, 90, 0, 0).mcnemar_p == 1.0
    assert PairedCounts(100, 90, 1, 1).mcnemar_p == 0.75
    assert PairedCounts(10_000, 9_000, 1500, 1000).mcnemar_p < 1e-20
