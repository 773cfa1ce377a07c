"""The split depends only on the group name and never changes."""

from collections import Counter

import pytest

from api.core.splits import fold_of, split_of

NAMES = [f"freshapples/IMG_{number}" for number in range(6000)]

# The splits of freshapples/0 to freshapples/7.
WRITTEN_SPLITS = ["train", "test", "validation", "train", "train", "train", "train", "test"]
WRITTEN_FOLDS = [2, 4, 0, 0, 2, 2, 0, 4]


def test_split_of_a_name_never_changes() -> None:
    """The values of the first release; a change would leak test photos into training."""
    assert [split_of(f"freshapples/{number}") for number in range(8)] == WRITTEN_SPLITS
    assert [fold_of(f"freshapples/{number}") for number in range(8)] == WRITTEN_FOLDS


def test_split_shares_are_77_8_15() -> None:
    counts = Counter(split_of(name) for name in NAMES)
    assert counts["train"] / len(NAMES) == pytest.approx(0.77, abs=0.02)
    assert counts["validation"] / len(NAMES) == pytest.approx(0.08, abs=0.02)
    assert counts["test"] / len(NAMES) == pytest.approx(0.15, abs=0.02)


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_folds_have_equal_sizes(folds: int) -> None:
    counts = Counter(fold_of(name, folds) for name in NAMES)
    assert sorted(counts) == list(range(folds))
    assert min(counts.values()) > 0.8 * len(NAMES) / folds


def test_folds_are_independent_of_the_split() -> None:
    tested = Counter(fold_of(name) for name in NAMES if split_of(name) == "test")
    assert min(tested.values()) > 0.7 * sum(tested.values()) / 5
