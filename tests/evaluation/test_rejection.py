import numpy as np
import pytest

from api.evaluation.rejection import rejection_figures
from api.evaluation.strangers import COUNT, strangers

KNOWN = np.array([0.2, 0.4, 0.6, 1.2], np.float32)


def test_counts_who_is_turned_away() -> None:
    others = np.array([0.5, 3, 4, 5], np.float32)
    drawn = {"noise": np.array([0.5, 2], np.float32)}
    found = rejection_figures(KNOWN, list("aabc"), others, list("wxyz"), drawn)
    assert found["known_rejected"] == 0.25
    assert found["others_rejected"] == 0.75
    assert found["drawn_rejected"] == {"noise": 0.5}
    assert found["auroc"] == pytest.approx(14 / 16)
    low, high = found["auroc_interval_95"]
    assert low < 14 / 16 < high <= 1


def test_without_others_there_is_no_auroc() -> None:
    found = rejection_figures(KNOWN, list("aabc"), np.empty(0, np.float32), [], {})
    assert found["auroc"] is None
    assert found["others_rejected"] is None
    assert found["known_files"] == 4


def test_strangers_are_the_same_every_time_and_what_they_are_called() -> None:
    first, second = strangers(48), strangers(48)
    for kind, pixels in first.items():
        assert pixels.shape == (COUNT, 48, 48, 3)
        assert pixels.dtype == np.uint8
        assert np.array_equal(pixels, second[kind])
    assert (first["noise"].std(axis=(1, 2, 3)) > 40).all()
    assert (first["flat_colour"].std(axis=(1, 2)) == 0).all()
    assert (first["blank"].std(axis=(1, 2, 3)) == 0).all()
    assert {0, 255} <= set(first["blank"][:, 0, 0, 0].tolist())
