"""Accept a lot, reject it, or photograph more: from the fruits seen so far.

People look after every photo and stop at a verdict, so the usual bounds, which hold for one look,
would err more often than stated. The tests of `core.sequential` bound the risk over all looks: of
lots over the tolerance at most 1 - confidence are ever accepted, and of lots within it at most as
many are ever rejected. This assumes fruits picked at random from the whole lot and graded
correctly; people correct wrong grades.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from api.core.labels import Level
from api.core.sequential import evidence_above, evidence_below, exact_interval

Decision = Literal["accept", "reject", "more"]
# More fruits than this are not asked for: the share is too close to the tolerance.
MAX_MORE = 2000


@dataclass(frozen=True)
class Tally:
    """Fruits of an inspection by level. `unknown`: those with no level yet, because they were not
    recognised and nobody has said what they are.
    """

    fresh: int = 0
    past_best: int = 0
    rotten: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        return self.graded + self.unknown

    @property
    def graded(self) -> int:
        return self.fresh + self.past_best + self.rotten

    def of(self, level: Level) -> int:
        count: int = getattr(self, level)
        return count


@dataclass(frozen=True)
class Profile:
    """What is tolerated: at most these shares of the lot (above 0, below 1; `past_best` None for
    any share); and how sure a verdict must be (0 to 1).
    """

    rotten: float
    past_best: float | None
    confidence: float

    @property
    def limits(self) -> dict[Level, float]:
        limits: dict[Level, float] = {"rotten": self.rotten}
        return limits if self.past_best is None else limits | {"past_best": self.past_best}


@dataclass(frozen=True)
class Share:
    """A share of the graded fruits, with its exact interval for one look."""

    count: int
    share: float | None
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """`over`: the levels that a rejected lot has too many of.

    `more`: about how many more fruits an undecided lot needs, if they are like those so far; None
    if even MAX_MORE are not enough, 0 if it is enough to say what the unknown ones are.
    """

    decision: Decision
    more: int | None = None
    over: tuple[Level, ...] = ()


def share_of(tally: Tally, level: Level, confidence: float) -> Share:
    count, total = tally.of(level), tally.graded
    low, high = exact_interval(count, total, confidence)
    return Share(count, count / total if total else None, low, high)


def judge(tally: Tally, profile: Profile) -> Verdict:
    """The verdict on a lot, or what it takes to reach one."""
    verdict = decide(tally, profile)
    if verdict.decision != "more":
        return verdict
    # Assumes that the unknown ones are like the others.
    known = replace(tally, unknown=0)
    if tally.unknown and decide(known, profile).decision != "more":
        return Verdict("more", more=0)
    return Verdict("more", more=_more(known, profile))


def decide(tally: Tally, profile: Profile) -> Verdict:
    """Whether there is a verdict. It holds whatever the unknown fruits are."""
    counts = {level: float(tally.of(level)) for level in profile.limits}
    if over := _over(counts, tally.total, profile):
        return Verdict("reject", over=over)
    if _is_within(counts, tally.total, tally.unknown, profile):
        return Verdict("accept")
    return Verdict("more")


def _over(counts: Mapping[Level, float], total: float, profile: Profile) -> tuple[Level, ...]:
    """The levels that are surely over their limits."""
    # Any of the limits may reject, so they share the risk. To accept, all must hold.
    needed = len(profile.limits) / (1 - profile.confidence)
    return tuple(
        level
        for level, most in profile.limits.items()
        if evidence_above(counts[level], total, most) >= needed
    )


def _is_within(
    counts: Mapping[Level, float], total: float, unknown: float, profile: Profile
) -> bool:
    """Whether all levels are surely within their limits, whatever the unknown fruits are."""
    needed = 1 / (1 - profile.confidence)
    return all(
        evidence_below(counts[level] + unknown, total, most) >= needed
        for level, most in profile.limits.items()
    )


def _more(tally: Tally, profile: Profile) -> int | None:
    """How many more fruits decide if the shares stay the same; None beyond MAX_MORE."""
    total = tally.graded
    shares = {level: tally.of(level) / total if total else 0.0 for level in profile.limits}

    def decided_with(more: int) -> bool:
        seen = total + more
        counts = {level: share * seen for level, share in shares.items()}
        return bool(_over(counts, seen, profile)) or _is_within(counts, seen, 0, profile)

    if not decided_with(MAX_MORE):
        return None
    low, high = 0, MAX_MORE
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decided_with(middle) else (middle, high)
    return high
