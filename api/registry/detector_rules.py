"""May a new detector replace the one in use? Pure functions of their comparison.

As in `promotion_gate`, a loss must be large or more than chance, a single photo never decides, and
no gain outweighs a loss. In a full run, a rejected detector does not block its version: the version
gets the detector in use.
"""

from collections.abc import Iterator, Mapping, Sequence

from api.core.formatting import number, percent
from api.core.paired_comparison import ALPHA, DetectorComparison, PairedCounts
from api.registry.promotion_gate import (
    MAX_GROUP_DROP,
    MAX_SIGNIFICANT_GROUP_DROP,
    MIN_FOR_FLOOR,
    MIN_NET_LOST,
    Verdict,
    regressed,
)

# In average precision, on at least MIN_FOR_FLOOR photos of the fruit.
MAX_PRECISION_DROP = 0.10
# With fewer held-out boxes, a note says so.
MIN_BOXES = 20
# Share of photos that a detector must get right if it replaces none.
MIN_RIGHT = 0.5


def judge_detector(comparison: DetectorComparison) -> list[str]:
    """The objections; none if the new detector is as good."""
    return [
        *_check_overall(comparison.overall),
        *_check_each(comparison.groups, "{name}: {right} are right"),
        *_check_each(comparison.fruits, "photos with {name}: in {right} all are found"),
        *_check_precision(comparison),
        *_check_grades(comparison.grades),
    ]


def judge_first_detector(comparison: DetectorComparison) -> list[str]:
    """Objections to one that replaces none and is compared with itself: half must be right."""
    counts = comparison.overall
    if counts.candidate_right >= max(1.0, MIN_RIGHT * counts.photographs):
        return []
    return [f"it is right on {_right(counts)} held-out photos"]


def detector_verdict(objections: Sequence[str]) -> Verdict:
    """The verdict on a version that differs from the champion only in its detector."""
    reasons = [f"It does not find fruits well enough: {each}." for each in objections]
    same = "It grades as before; what is new is how it finds the fruits of a photo."
    return Verdict(not objections, reasons or [same], {})


def detector_notes(comparison: DetectorComparison) -> list[str]:
    """Sentences with what else there is to know about a comparison."""
    if comparison.boxes >= MIN_BOXES:
        return []
    return [
        f"Only {number(comparison.boxes, 'fruit')} with a box could be held out to judge it by; "
        "the rest are photos of one fruit and composed scenes. More boxed photos make this surer."
    ]


def _check_overall(counts: PairedCounts) -> Iterator[str]:
    if not counts.photographs:
        yield "there are no held-out photos to judge it by"
    elif counts.net_lost >= MIN_NET_LOST and counts.mcnemar_p < ALPHA:
        yield f"it is right on {_right(counts)} held-out photos, {_before(counts)}"


def _check_each(groups: Mapping[str, PairedCounts], words: str) -> Iterator[str]:
    alpha = ALPHA / max(1, len(groups))
    for name, counts in groups.items():
        if regressed(counts, MAX_GROUP_DROP, MAX_SIGNIFICANT_GROUP_DROP, alpha):
            yield f"{words.format(name=name, right=_right(counts))}, {_before(counts)}"


def _check_precision(comparison: DetectorComparison) -> Iterator[str]:
    for name, pair in comparison.average_precision.items():
        photographs = comparison.fruits[name].photographs
        if photographs >= MIN_FOR_FLOOR and -pair.increase > MAX_PRECISION_DROP:
            yield (
                f"the average precision of {name} falls from {percent(pair.champion)} to "
                f"{percent(pair.candidate)}, on {photographs} photos"
            )


def _check_grades(counts: PairedCounts | None) -> Iterator[str]:
    if counts and regressed(counts, MAX_GROUP_DROP, MAX_SIGNIFICANT_GROUP_DROP, ALPHA):
        yield f"fewer photos whose found fruits are all graded right: {_right(counts)}, " + _before(
            counts
        )


def _right(counts: PairedCounts) -> str:
    return f"{counts.candidate_right} of {counts.photographs}"


def _before(counts: PairedCounts) -> str:
    return f"where the current one has {counts.champion_right}"
