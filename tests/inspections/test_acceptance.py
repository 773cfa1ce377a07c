"""Verdicts on lots are right as often as stated, however often somebody looks."""

from functools import cache

import numpy as np
import pytest

from api.inspections.acceptance import (
    MAX_MORE,
    Decision,
    Profile,
    Tally,
    Verdict,
    decide,
    judge,
    share_of,
)
from api.inspections.wording import verdict_message

PROFILE = Profile(0.05, 0.1, 0.95)
LOTS, FRUITS_A_PHOTO, MOST_PHOTOS = 1000, 12, 50
# Shares of rotten fruits around the tolerance of 5 %.
SHARES = (0.01, 0.025, 0.05, 0.065, 0.1, 0.15)
# Of 1000 lots, 50 may be judged wrongly. By chance, one run in 3,000 reaches 75.
MOST_WRONG = 75


@cache
def decision_on(past_best: int, rotten: int, seen: int) -> Decision:
    tally = Tally(fresh=seen - past_best - rotten, past_best=past_best, rotten=rotten)
    return decide(tally, PROFILE).decision


def inspect(lot: list[tuple[int, int]]) -> tuple[Decision, int]:
    """Photograph twelve fruits at a time, and look each time until there is a verdict. `lot` has
    the numbers of fruits past their best and rotten after each photo. Returns the last verdict and
    the number of photos.
    """
    for photos, (past_best, rotten) in enumerate(lot, start=1):
        decision = decision_on(past_best, rotten, FRUITS_A_PHOTO * photos)
        if decision != "more":
            return decision, photos
    return "more", len(lot)


def simulate(rotten: float, past_best: float, seed: int) -> tuple[dict[Decision, int], float]:
    """The verdicts on LOTS simulated lots, and their mean number of photos."""
    random = np.random.default_rng(seed)
    shares = (past_best, rotten, 1 - past_best - rotten)
    fruits = random.multinomial(FRUITS_A_PHOTO, shares, (LOTS, MOST_PHOTOS)).cumsum(axis=1)
    ends: dict[Decision, int] = {"accept": 0, "reject": 0, "more": 0}
    photos = 0
    for lot in fruits[..., :2].tolist():
        decision, taken = inspect(lot)
        ends[decision] += 1
        photos += taken
    return ends, photos / LOTS


@pytest.mark.parametrize(
    ("past_best", "shares"),
    [(0.02, SHARES), (0.10, (0.05,))],
    ids=["rotten", "both-at-the-tolerance"],
)
def test_simulated_lots_are_wrongly_judged_no_more_often_than_stated(
    past_best: float, shares: tuple[float, ...]
) -> None:
    rows = []
    for seed, rotten in enumerate(shares):
        ends, photos = simulate(rotten, past_best, seed)
        counts = " ".join(f"{end} {number:4}" for end, number in ends.items())
        rows.append(f"{rotten:.1%} rotten: {counts}, {photos:.1f} photos")
        wrong: Decision = "accept" if rotten > PROFILE.rotten else "reject"
        assert ends[wrong] < MOST_WRONG, rows
        if rotten in (SHARES[0], SHARES[-1]):
            assert ends["more"] == 0, rows
    print("", *rows, sep="\n")


def test_exact_bound_at_each_look_would_accept_too_many() -> None:
    """Why a sequential test is needed: the usual bound is valid for one look, not for many."""
    random, share, wrong = np.random.default_rng(3), 0.055, 0
    for lot in random.binomial(FRUITS_A_PHOTO, share, (400, MOST_PHOTOS)).cumsum(axis=1):
        for photos, rotten in enumerate(lot.tolist(), start=1):
            seen = FRUITS_A_PHOTO * photos
            # One-sided 95 % is two-sided 90 %.
            if share_of(Tally(fresh=seen - rotten, rotten=rotten), "rotten", 0.9).high < 0.05:
                wrong += 1
                break
    assert wrong > 400 * 0.1


def test_enough_fresh_fruits_are_accepted_and_one_fewer_is_asked_for() -> None:
    needed = judge(Tally(), PROFILE).more
    assert needed is not None
    assert 80 < needed < 95
    assert judge(Tally(fresh=needed), PROFILE) == Verdict("accept")
    assert judge(Tally(fresh=needed - 1), PROFILE) == Verdict("more", more=1)


@pytest.mark.parametrize(
    ("tally", "over"),
    [
        (Tally(fresh=10, rotten=6), ("rotten",)),
        (Tally(fresh=10, past_best=12), ("past_best",)),
        (Tally(past_best=20, rotten=20), ("rotten", "past_best")),
    ],
)
def test_too_many_of_any_level_reject(tally: Tally, over: tuple[str, ...]) -> None:
    assert judge(tally, PROFILE) == Verdict("reject", over=over)  # type: ignore[arg-type]


def test_level_without_a_limit_is_not_judged() -> None:
    assert judge(Tally(fresh=70, past_best=70), Profile(0.05, None, 0.95)).decision == "accept"


def test_unknown_fruits_may_be_of_any_level() -> None:
    """They could be rotten, so nothing is accepted until somebody says what they are."""
    assert judge(Tally(fresh=95, unknown=5), PROFILE) == Verdict("more", more=0)
    assert judge(Tally(fresh=99, unknown=1), PROFILE).decision == "more"
    assert judge(Tally(fresh=400, unknown=1), PROFILE) == Verdict("accept")
    assert judge(Tally(rotten=10, unknown=2), PROFILE).decision == "reject"
    assert judge(Tally(rotten=4, unknown=400), PROFILE).decision == "more"


def test_estimate_holds_if_fruits_stay_as_they_are() -> None:
    tally = Tally(fresh=58, past_best=1, rotten=1)
    more = judge(tally, PROFILE).more
    assert more is not None
    times = (60 + more) / 60
    grown = Tally(round(58 * times), round(times), round(times))
    assert judge(grown, PROFILE).decision == "accept"


def test_no_estimate_near_the_tolerance() -> None:
    assert judge(Tally(fresh=95, rotten=5), PROFILE) == Verdict("more", more=None)


def test_more_confidence_takes_more_fruits() -> None:
    counts = [judge(Tally(), Profile(0.05, 0.1, confidence)).more for confidence in (0.8, 0.95)]
    assert None not in counts
    assert counts == sorted(counts)  # type: ignore[type-var]
    assert judge(Tally(), Profile(0.001, None, 0.999)) == Verdict("more", more=None)


def test_shares_have_exact_intervals_of_the_fruits_with_a_level() -> None:
    share = share_of(Tally(fresh=57, rotten=3, unknown=40), "rotten", 0.95)
    assert (share.count, share.share) == (3, 0.05)
    # R: binom.test(3, 60)
    assert (share.low, share.high) == pytest.approx((0.010432, 0.139243), abs=1e-6)
    assert vars(share_of(Tally(), "rotten", 0.95)) == {
        "count": 0,
        "share": None,
        "low": 0.0,
        "high": 1.0,
    }


@pytest.mark.parametrize(
    ("tally", "message"),
    [
        (
            Tally(fresh=100),
            "The lot has at most 5 % rotten and at most 10 % past their best.",
        ),
        (Tally(rotten=9), "The lot has more than 5 % rotten."),
        (Tally(fresh=87), "Photograph about 1 more fruit to be sure."),
        (Tally(fresh=95, unknown=1), "Say what the unknown fruit is: then there is a verdict."),
        (Tally(fresh=95, rotten=5), f"even {MAX_MORE:,} more fruits decide nothing"),
        (Tally(), "Photograph about 88 fruits, from all parts of the lot"),
        (Tally(fresh=5, unknown=2), "And say what the 2 unknown fruits are."),
    ],
)
def test_message_says_what_to_do(tally: Tally, message: str) -> None:
    assert message in verdict_message(judge(tally, PROFILE), tally, PROFILE)
