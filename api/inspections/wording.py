"""The verdict on a lot in a grader's words."""

from api.core.formatting import number
from api.core.labels import Level
from api.inspections.acceptance import MAX_MORE, Profile, Tally, Verdict

_LEVELS: dict[Level, str] = {"fresh": "fresh", "past_best": "past its best", "rotten": "rotten"}
_MANY: dict[Level, str] = _LEVELS | {"past_best": "past their best"}


def verdict_message(verdict: Verdict, tally: Tally, profile: Profile) -> str:
    """One or two sentences: the verdict, or what it takes to reach one."""
    if verdict.decision == "accept":
        within = " and ".join(
            f"at most {limit_percent(most)} {_MANY[level]}"
            for level, most in profile.limits.items()
        )
        return f"The lot has {within}."
    if verdict.decision == "reject":
        over = " and ".join(
            f"more than {limit_percent(profile.limits[level])} {_MANY[level]}"
            for level in verdict.over
        )
        return f"The lot has {over}."
    unknown = _unknown(tally.unknown)
    if verdict.more == 0:
        return f"Say what {unknown}: then there is a verdict."
    also = f" And say what {unknown}." if tally.unknown else ""
    if verdict.more is None:
        return (
            "So far the lot is very near to what is tolerated. If it stays so, even "
            f"{MAX_MORE:,} more fruits decide nothing. Photograph some more, or decide yourself."
            f"{also}"
        )
    if not tally.total:
        return (
            f"Photograph about {verdict.more} fruits, from all parts of the lot: so many are "
            "enough if nearly all are fresh."
        )
    return f"Photograph about {number(verdict.more, 'more fruit')} to be sure.{also}"


def _unknown(count: int) -> str:
    return "the unknown fruit is" if count == 1 else f"the {count:,} unknown fruits are"


def limit_percent(share: float) -> str:
    """A limit that a person set: 0.05 is "5 %", 0.025 "2.5 %"."""
    return f"{100 * share:g} %"
