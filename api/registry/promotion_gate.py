"""The promotion gate: may a candidate replace the champion? A pure function of their comparison.

Each rule asks whether a regression is large enough to matter and whether it is more than chance.
A test split has a few hundred photos, and two equal models differ on some of them, so one photo
never decides. A large regression counts even if it is not significant.

No improvement outweighs a regression, and each rule can only object: photos that were held out
before are judged on their own, and new ones can only add objections. A person may promote a
candidate that the gate rejects.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from api.core.formatting import percent
from api.core.paired_comparison import ALPHA, ModelComparison, PairedCounts
from api.registry.label_rules import (
    MIN_NEW_CLASS_RECALL,
    MIN_NEW_PHOTOS,
    add_agreements,
    agreement_rate,
    check_changed_labels,
    check_contradictions,
    check_new_classes,
    check_new_labels,
    describe,
)

# One photo is never enough to reject a candidate.
MIN_NET_LOST = 2
# What the project promises for the known classes.
MAX_MACRO_F1_DROP = 0.005
# A class has few photos, so a large drop in its recall counts even if it is not significant; a
# significant one may be smaller. ALPHA is divided among the classes, since one of many drops by
# chance (O. J. Dunn, "Multiple Comparisons among Means", 1961).
MAX_CLASS_DROP = 0.10
MAX_SIGNIFICANT_CLASS_DROP = 0.01
# Of a source, or of photos of similar light, size or colour.
MAX_GROUP_DROP = 0.10
MAX_SIGNIFICANT_GROUP_DROP = 0.01
# Of all classes together, since the first version that was judged by the same photos.
MAX_SINCE_FIRST_DROP = 0.03
# Below these shares a candidate is useless, however bad the champion is. A group with fewer photos
# than MIN_FOR_FLOOR is too small to tell.
MIN_ACCURACY = 0.75
MIN_GROUP_ACCURACY = 0.60
MIN_FOR_FLOOR = 8
# Share of photos of known classes that are recognised.
MAX_RECOGNISED_DROP = 0.03
MAX_SIGNIFICANT_RECOGNISED_DROP = 0.01
# Or the weight of two photos, if that is more.
MAX_CALIBRATION_INCREASE = 0.02
# Of the mean log loss, in nats and as a factor: it catches a few photos that are confidently wrong.
MAX_LOG_LOSS_INCREASE = 0.05
MAX_LOG_LOSS_FACTOR = 1.5
# Share of OOD photos that are recognised as a class.
MAX_LET_THROUGH_INCREASE = 0.10
# With a new class, whose photos may have been OOD before.
MAX_LET_THROUGH_INCREASE_WITH_NEW = 0.25
# Share of OOD photos that are recognised and graded as a class that the champion knows: its
# increase, and the share that a candidate may not raise further. The shipped model has 0.2 %.
MAX_OTHERS_AS_KNOWN_INCREASE = 0.10
MAX_OTHERS_AS_KNOWN = 0.15
MAX_SLOWDOWN = 1.10


@dataclass(frozen=True)
class Verdict:
    """The gate's decision; `reasons` are sentences, `figures` the comparison, JSON-ready."""

    promote: bool
    reasons: list[str]
    figures: Mapping[str, Any]


def judge(comparison: ModelComparison) -> Verdict:
    """Promote unless a rule objects. The reasons are the objections, or else the results."""
    objections = [
        *_check_lost_classes(comparison),
        *_check_overall(comparison),
        *_check_each_class(comparison.per_class),
        *_check_each_class(comparison.by_file, "files of held-out photos"),
        *_check_groups(comparison),
        *_check_floors(comparison),
        *_check_since_first(comparison.since_first),
        *_check_new_photos(comparison),
        *check_changed_labels(comparison.changed_labels),
        *check_contradictions(comparison.contradictions),
        *_check_calibration(comparison),
        *_check_recognised(comparison.recognised),
        *_check_let_through(comparison),
        *_check_speed(comparison),
        *check_new_classes(comparison.new_classes),
        *check_new_labels(comparison.new_labels),
    ]
    reasons = objections or list(_results(comparison))
    return Verdict(not objections, reasons, asdict(comparison))


def judge_first(comparison: ModelComparison) -> Verdict:
    """The verdict on a package that replaces none and is compared with itself: it must reach the
    floors."""
    reasons = list(_check_floors(comparison, excused=False))
    return Verdict(not reasons, reasons or list(_results(comparison)), asdict(comparison))


def _check_lost_classes(comparison: ModelComparison) -> Iterator[str]:
    for name, photos in comparison.lost_classes.items():
        held_out = f" ({photos} held-out photos)" if photos else ""
        yield f"It does not know the class {name} any more{held_out}, which the champion knows."
    for name, agreement in comparison.few_held_out.items():
        if agreement.left_out < MIN_NEW_PHOTOS:
            yield (
                f"Too few photos of {name} are left to judge it by: {agreement.left_out}. Add "
                f"photos of {name}."
            )
        elif agreement_rate(agreement) < MIN_NEW_CLASS_RECALL:
            yield f"It cannot tell {name} from the others: {describe(agreement)}."


def _check_overall(comparison: ModelComparison) -> Iterator[str]:
    counts = comparison.overall
    if not counts.photographs:
        yield "There are no held-out photos to compare the two on."
    if counts.net_lost < MIN_NET_LOST:
        return
    changes = (
        f"of {counts.photographs} held-out photos it gets {counts.lost} wrong that the champion "
        f"gets right, and {counts.won} right that the champion gets wrong"
    )
    f1 = comparison.macro_f1
    if counts.mcnemar_p < ALPHA:
        yield f"The candidate is worse: {changes} (p = {counts.mcnemar_p:.3f})."
    elif f1 and -f1.increase > MAX_MACRO_F1_DROP:
        yield (
            f"The candidate is worse: macro F1 falls from {percent(f1.champion)} to "
            f"{percent(f1.candidate)}; {changes}."
        )


def _check_each_class(
    per_class: Mapping[str, PairedCounts], photos: str = "held-out photos"
) -> Iterator[str]:
    alpha = ALPHA / max(1, len(per_class))
    for name, counts in per_class.items():
        if regressed(counts, MAX_CLASS_DROP, MAX_SIGNIFICANT_CLASS_DROP, alpha):
            yield (
                f"It is worse on {name}: {counts.candidate_right} of {counts.photographs} {photos} "
                f"right, where the champion has {counts.champion_right}."
            )


def _check_groups(comparison: ModelComparison) -> Iterator[str]:
    groups = _groups(comparison)
    alpha = ALPHA / max(1, len(groups))
    for name, counts in groups.items():
        if regressed(counts, MAX_GROUP_DROP, MAX_SIGNIFICANT_GROUP_DROP, alpha):
            yield (
                f"It is worse on {name}: {counts.candidate_right} of {counts.photographs} "
                f"right, where the champion has {counts.champion_right}."
            )


def _check_floors(comparison: ModelComparison, excused: bool = True) -> Iterator[str]:
    """If `excused`, a champion below a floor may be replaced by one that is no worse there."""

    def is_below(counts: PairedCounts, floor: float) -> bool:
        return (
            counts.photographs >= MIN_FOR_FLOOR
            and counts.candidate_right < floor * counts.photographs
            and not (excused and counts.candidate_right >= counts.champion_right)
        )

    if is_below(comparison.overall, MIN_ACCURACY):
        yield f"It is right on too few held-out photos: {_right(comparison.overall)}."
    for name, counts in {**comparison.per_class, **_groups(comparison)}.items():
        if is_below(counts, MIN_GROUP_ACCURACY):
            yield f"It is right on too few of {name}: {_right(counts)}."
    for name, counts in comparison.returned_classes.items():
        if counts.candidate_right < MIN_GROUP_ACCURACY * counts.photographs:
            yield (
                f"An earlier version knew the class {name}, and of its held-out photos the "
                f"candidate has {_right(counts)}."
            )


def _check_since_first(since_first: Mapping[str, PairedCounts]) -> Iterator[str]:
    """Many small regressions, one version after another, are a large one."""
    alpha = ALPHA / max(1, len(since_first) - 1)
    for name, counts in since_first.items():
        share, significant, own_alpha = (
            (MAX_CLASS_DROP, MAX_SIGNIFICANT_CLASS_DROP, alpha)
            if name
            else (MAX_SINCE_FIRST_DROP, MAX_SIGNIFICANT_CLASS_DROP, ALPHA)
        )
        if regressed(counts, share, significant, own_alpha):
            yield (
                f"Over several versions it has become worse{f' on {name}' if name else ''}: "
                f"{_right(counts)}, where the first version judged by them had "
                f"{counts.champion_right}."
            )


def _check_new_photos(comparison: ModelComparison) -> Iterator[str]:
    counts = comparison.new_photos
    if counts and counts.net_lost >= MIN_NET_LOST and counts.mcnemar_p < ALPHA:
        yield (
            f"It is worse on held-out photos that were added since: {_right(counts)}, where the "
            f"champion has {counts.champion_right}."
        )
    yield from _check_each_class(comparison.new_per_class, "held-out photos added since")


def _check_calibration(comparison: ModelComparison) -> Iterator[str]:
    error = comparison.calibration_error
    if error and error.increase > max(MAX_CALIBRATION_INCREASE, 2 / comparison.overall.photographs):
        yield (
            "Its confidence is less reliable: the calibration error grows from "
            f"{percent(error.champion)} to {percent(error.candidate)}."
        )
    loss = comparison.log_loss
    if (
        loss
        and loss.increase > MAX_LOG_LOSS_INCREASE
        and loss.candidate > MAX_LOG_LOSS_FACTOR * loss.champion
    ):
        yield (
            "It is surer of what it gets wrong: the log loss grows from "
            f"{loss.champion:.2f} to {loss.candidate:.2f}."
        )


def _check_recognised(counts: PairedCounts) -> Iterator[str]:
    if regressed(counts, MAX_RECOGNISED_DROP, MAX_SIGNIFICANT_RECOGNISED_DROP, ALPHA):
        total = counts.photographs
        yield (
            f"It rejects more photos of known classes: {total - counts.candidate_right} of "
            f"{total}, where the champion rejects {total - counts.champion_right}."
        )


def _check_let_through(comparison: ModelComparison) -> Iterator[str]:
    share, known = comparison.others_let_through, comparison.others_as_known
    limit = (
        MAX_LET_THROUGH_INCREASE_WITH_NEW if comparison.new_classes else MAX_LET_THROUGH_INCREASE
    )
    if share and share.increase > limit:
        yield (
            "It recognises more photos of other things as one of its classes: "
            f"{percent(share.candidate)}, where the champion does {percent(share.champion)}."
        )
    elif known and (
        known.increase > MAX_OTHERS_AS_KNOWN_INCREASE
        or (known.candidate > MAX_OTHERS_AS_KNOWN and known.increase > 0)
    ):
        yield (
            f"It takes {percent(known.candidate)} of the photos of other things for a class that "
            f"the champion knows, which takes {percent(known.champion)}."
        )


def _check_speed(comparison: ModelComparison) -> Iterator[str]:
    time = comparison.milliseconds
    if time is not None and time.candidate > MAX_SLOWDOWN * time.champion:
        yield f"It is slower: {time.candidate:.1f} ms per photo against {time.champion:.1f} ms."


def _results(comparison: ModelComparison) -> Iterator[str]:
    counts = comparison.overall
    if counts.photographs:
        yield (
            f"It has {counts.candidate_right} of {counts.photographs} held-out photos right; "
            f"the champion has {counts.champion_right}."
        )
    for name, agreement in comparison.new_classes.items():
        yield f"It knows the new class {name}: {describe(agreement)}."
    total = add_agreements(comparison.new_labels)
    if total.left_out:
        yield f"The new labels fit: {describe(total)}."
    changed = comparison.changed_labels.values()
    if relabelled := sum(counts.relabelled for counts in changed):
        yield f"{relabelled} held-out photos were relabelled; the labels before still counted."
    if removed := sum(counts.removed for counts in changed):
        yield f"{removed} held-out photos were removed; they still counted."


def _groups(comparison: ModelComparison) -> dict[str, PairedCounts]:
    """Sources and slices, by the name that a reason gives them."""
    sources = {f"photos from {name}": counts for name, counts in comparison.per_source.items()}
    return {**sources, **comparison.per_slice}


def _right(counts: PairedCounts) -> str:
    return f"{counts.candidate_right} of {counts.photographs}"


def regressed(
    counts: PairedCounts, max_drop: float, max_significant_drop: float, alpha: float
) -> bool:
    """Whether more than one photo is lost, and more than allowed, which is less if significant."""
    allowed = max_significant_drop if counts.mcnemar_p < alpha else max_drop
    return counts.net_lost >= MIN_NET_LOST and counts.drop > allowed
