import numpy as np
import pytest

from api.evaluation.ood_metrics import OodMargins, ood_metrics
from api.evaluation.out_of_fold import SYNTHETIC_COUNT, synthetic_images

KNOWN = OodMargins(np.array([-0.8, -0.6, -0.4, 0.2], np.float32), list("aabc"))
SOURCES = ["studio", "studio", "studio", "phone"]
NONE = OodMargins(np.empty(0, np.float32), ())


def test_near_and_far_rejections_are_counted_separately() -> None:
    far = OodMargins(np.array([-0.5, 2, 3, 4], np.float32), list("wxyz"))
    near = OodMargins(
        np.array([0.1, 0.3, -0.9], np.float32), ["other/pear", "other/pear", "other/fig"]
    )
    synthetic = {"noise": np.array([-0.5, 1], np.float32)}
    metrics = ood_metrics(KNOWN, SOURCES, near, far, synthetic)
    assert metrics["known_rejected"] == 0.25
    assert metrics["known_rejected_by_source"] == {"phone": 1, "studio": 0}
    assert metrics["others_rejected"] == 0.75
    assert metrics["auroc"] == pytest.approx(14 / 16)
    assert metrics["near_files"] == 3
    assert metrics["near_kinds"] == 2
    assert metrics["near_rejected"] == pytest.approx(2 / 3)
    assert metrics["near_auroc"] == pytest.approx((3 + 4 + 0) / 12)
    assert metrics["drawn_rejected"] == {"noise": 0.5}
    low, high = metrics["auroc_interval_95"]
    assert low < 14 / 16 < high <= 1


def test_threshold_at_98_keeps_every_source() -> None:
    near = OodMargins(
        np.array([0.1, 0.3, -0.9], np.float32), ["other/pear", "other/pear", "other/fig"]
    )
    metrics = ood_metrics(KNOWN, SOURCES, near, NONE, {})
    # The phone photo, at 0.2, must be recognised; the grader's own threshold rejects it.
    assert metrics["near_rejected_at_98"] == pytest.approx(1 / 3)
    assert metrics["near_by_kind"] == [
        {"kind": "fig", "files": 1, "rejected": 0, "rejected_at_98": 0},
        {"kind": "pear", "files": 2, "rejected": 1, "rejected_at_98": 0.5},
    ]


def test_without_ood_samples_there_is_no_auroc() -> None:
    metrics = ood_metrics(KNOWN, SOURCES, NONE, NONE, {})
    assert metrics["auroc"] is metrics["near_auroc"] is None
    assert metrics["others_rejected"] is metrics["near_rejected_at_98"] is None
    assert metrics["known_files"] == 4


def test_synthetic_images_are_deterministic_and_match_their_names() -> None:
    first, second = synthetic_images(48), synthetic_images(48)
    for kind, pixels in first.items():
        assert pixels.shape == (SYNTHETIC_COUNT, 48, 48, 3)
        assert pixels.dtype == np.uint8
        assert np.array_equal(pixels, second[kind])
    assert (first["noise"].std(axis=(1, 2, 3)) > 40).all()
    assert (first["flat_colour"].std(axis=(1, 2)) == 0).all()
    assert (first["blank"].std(axis=(1, 2, 3)) == 0).all()
    assert {0, 255} <= set(first["blank"][:, 0, 0, 0].tolist())
