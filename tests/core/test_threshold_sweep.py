"""What each threshold gets wrong, and which one costs least."""

import numpy as np
import pytest

from api.core.freshness_levels import LevelThresholds
from api.core.threshold_sweep import FEWEST, GRID, Costs, SweptFruits

EVEN = Costs(1, 1, None)
# Ten rotten fruits and ten sound ones that overlap between 0.3 and 0.6.
ROTTEN = [0.01, 0.02, 0.05, 0.1, 0.1, 0.2, 0.2, 0.25, 0.3, 0.55]
SOUND = [0.35, 0.6, 0.7, 0.8, 0.8, 0.9, 0.9, 0.95, 0.97, 0.99]


def fruits(rotten: list[float], sound: list[float]) -> SweptFruits:
    worse = np.arange(len(rotten) + len(sound)) < len(rotten)
    return SweptFruits(np.array([*rotten, *sound]), worse)


@pytest.mark.parametrize("threshold", [0.2, 0.25, 0.35, 0.355, 0.6, 0.8])
def test_errors_are_those_of_the_levels(threshold: float) -> None:
    level = LevelThresholds(threshold).level
    found = fruits(ROTTEN, SOUND).at(threshold, EVEN)
    assert found.let_through == sum(level(score) != "rotten" for score in ROTTEN)
    assert found.refused == sum(level(score) == "rotten" for score in SOUND)
    assert found.let_through_share == found.let_through / 10
    assert found.refused_share == found.refused / 10
    assert found.let_through_at_most > found.let_through / 10


def test_sweep_has_each_hundredth() -> None:
    swept = fruits(ROTTEN, SOUND).sweep(EVEN)
    assert [errors.threshold for errors in swept] == list(GRID)
    assert len(GRID) == 99
    let_through = [errors.let_through for errors in swept]
    refused = [errors.refused for errors in swept]
    assert (let_through, refused) == (sorted(let_through, reverse=True), sorted(refused))


def test_cost_is_of_a_hundred_fruits_of_the_persons_lots() -> None:
    swept = fruits(ROTTEN, SOUND)
    # At 0.5 one of ten rotten ones is let through, and one of ten sound ones is refused.
    assert swept.at(0.5, Costs(5, 1, None)).cost == pytest.approx(100 * (0.5 * 0.5 + 0.5 * 0.1))
    assert swept.at(0.5, Costs(5, 1, 0.1)).cost == pytest.approx(100 * (0.1 * 0.5 + 0.9 * 0.1))


@pytest.mark.parametrize(
    ("costs", "low", "high"),
    [
        (Costs(1, 10, None), 0.3, 0.35),
        (Costs(10, 1, None), 0.55, 0.6),
        # Few are rotten, so their cost matters little.
        (Costs(10, 1, 0.01), 0.3, 0.35),
    ],
)
def test_cheapest_moves_with_the_costs(costs: Costs, low: float, high: float) -> None:
    found = fruits(ROTTEN, SOUND).cheapest(0.9, costs)
    assert found is not None
    # In the middle of equally cheap thresholds, not next to a fruit.
    assert low + 0.01 < found.threshold < high


def test_threshold_in_use_stays_unless_another_costs_less() -> None:
    swept = fruits(ROTTEN, SOUND)
    for in_use in (0.5501, 0.599):
        found = swept.cheapest(in_use, Costs(10, 1, None))
        assert found is not None
        assert found.threshold == in_use


def test_of_two_equally_cheap_stretches_the_nearer_is_suggested() -> None:
    # Either error costs the same: 0.3 to 0.35 and 0.55 to 0.6 are equally good.
    swept = fruits(ROTTEN, SOUND)
    below, above = swept.cheapest(0.1, EVEN), swept.cheapest(0.9, EVEN)
    assert below is not None
    assert above is not None
    assert below.threshold < 0.35
    assert above.threshold > 0.55


@pytest.mark.parametrize("few", [0, 1, FEWEST - 1])
def test_too_few_suggest_nothing(few: int) -> None:
    assert fruits(ROTTEN[:few], SOUND).cheapest(0.5, EVEN) is None
    assert fruits(ROTTEN, SOUND[:few]).cheapest(0.5, EVEN) is None
    assert fruits(ROTTEN, SOUND).cheapest(0.5, EVEN) is not None


def test_without_fruits_nothing_is_known() -> None:
    found = fruits([], []).at(0.5, EVEN)
    assert (found.let_through, found.refused, found.cost) == (0, 0, None)
    assert (found.let_through_share, found.refused_share) == (None, None)
    assert (found.let_through_at_most, found.refused_at_most) == (1, 1)


def test_one_fruit_moves_no_line() -> None:
    rotten = [0.001 * k for k in range(24)] + [0.1, 0.15]
    for count, moves in ((1, False), (2, False), (3, True)):
        sound = [0.3] * count + [0.9] * (45 - count)
        swept, costs = fruits(rotten, sound), Costs(1, 1, 0.1)
        found, cost = swept.cheapest(0.5, costs), swept.at(0.5, costs).cost
        assert found is not None
        assert (found.threshold < 0.5) == moves
        # Some other threshold always costs less on these fruits, but not always significantly less.
        assert cost is not None
        assert min(errors.cost or 0 for errors in swept.sweep(costs)) < cost
