"""No upload manipulates the gate, and honest changes pass. `make gate` tries more."""

import pytest

from tests.hostile.gate_attacks import ATTACKS, honest

# Each test fits a head or two.
pytestmark = pytest.mark.slow

# The others take a dozen runs each.
QUICK = [name for name in ATTACKS if "a run" not in name]


@pytest.mark.parametrize("name", QUICK)
def test_worse_grader_is_not_promoted(name: str) -> None:
    outcome = ATTACKS[name]()
    assert not outcome.promoted, outcome.reason
    assert not outcome.is_worse


@pytest.mark.parametrize("seed", range(1, 5))
def test_honest_work_is_promoted(seed: int) -> None:
    """Photos of known classes, photos of a new class, corrections, and all three."""
    outcome = honest(seed)
    assert outcome.promoted, outcome.reason
    assert not outcome.is_worse
