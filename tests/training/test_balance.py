"""Balanced weights, and the rows of an epoch."""

import numpy as np
import pytest

from api.training.balance import balanced_weights, epoch_order

STUDIO, PHONE = "studio", "phone"


def test_group_weight_grows_sublinearly_with_its_size() -> None:
    """In any order of rows, 32 of one source count 16 times as much as 1 of another."""
    sources = [*[STUDIO] * 20, PHONE, *[STUDIO] * 12]
    weights = balanced_weights(sources, ["freshapples"] * 33, ["apple"] * 33)
    phone = np.array(sources) == PHONE
    assert weights[~phone].sum() == pytest.approx(16 * weights[phone].sum())
    assert np.ptp(weights[~phone]) == 0


def test_labels_of_one_source_are_separate_groups() -> None:
    labels = ["freshapples"] * 32 + ["rottenapples"]
    weights = balanced_weights([STUDIO] * 33, labels, ["apple"] * 33)
    assert weights[:32].sum() == pytest.approx(16 * weights[32:].sum())


def test_every_kind_has_the_same_total_and_ood_rows_count_as_one_kind() -> None:
    kinds = ["apple"] * 50 + ["pear"] * 5 + [""] * 200
    labels = ["a"] * 50 + ["b"] * 5 + ["near"] * 120 + ["far"] * 80
    sources = ([STUDIO, PHONE] * 128)[:255]
    weights = balanced_weights(sources, labels, kinds)
    assert weights.dtype == np.float32
    assert weights.mean() == pytest.approx(1)
    shares = [weights[np.array(kinds) == kind].sum() for kind in ("apple", "pear", "")]
    assert shares == pytest.approx([85] * 3)


def test_no_rows_give_no_weights() -> None:
    assert balanced_weights([], [], []).shape == (0,)


@pytest.mark.parametrize("lengths", [(1, 2, 2), (2, 1, 2), (2, 2, 1)])
def test_different_lengths_are_rejected(lengths: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"argument|rows"):
        balanced_weights(*(["x"] * length for length in lengths))


@pytest.mark.parametrize("views", [1, 7, 40, 333])
def test_row_is_shown_floor_or_ceil_of_its_expected_count(views: int) -> None:
    weights = np.random.default_rng(0).uniform(0, 3, 40).astype(np.float32)
    weights[5] = 0
    expected = weights / weights.sum() * views
    for epoch in range(20):
        order = epoch_order(weights, views, 1, epoch)
        assert order.dtype == np.int64
        assert len(order) == views
        counts = np.bincount(order, minlength=40)
        assert (np.floor(expected) <= counts).all()
        assert (counts <= np.ceil(expected)).all()


def test_rows_are_shown_in_proportion_to_weight_over_epochs() -> None:
    weights = np.array([1, 2, 3, 4], np.float32)
    counts = sum(np.bincount(epoch_order(weights, 3, 1, k), minlength=4) for k in range(2000))
    assert np.asarray(counts) / 6000 == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=0.015)


def test_any_two_rows_may_be_shown_together() -> None:
    orders = [epoch_order(np.ones(4, np.float32), 2, 1, epoch) for epoch in range(100)]
    assert len({frozenset(order.tolist()) for order in orders}) == 6


def test_rows_of_equal_weight_are_shown_once() -> None:
    assert sorted(epoch_order(np.ones(30, np.float32), 30, 1, 0)) == list(range(30))


def test_order_depends_on_seed_and_epoch() -> None:
    weights = np.ones(50, np.float32)
    orders = [epoch_order(weights, 50, seed, epoch) for seed, epoch in ((1, 0), (1, 1), (2, 0))]
    assert len({order.tobytes() for order in orders}) == 3
    assert (epoch_order(weights, 50, 1, 0) == orders[0]).all()


def test_views_of_a_row_are_spread_out() -> None:
    order = epoch_order(np.ones(10, np.float32), 1000, 1, 0)
    assert (order[1:] == order[:-1]).mean() < 0.2
