"""The promotion gate: may a candidate replace the champion? A pure function of their comparison.

Each rule asks whether a regression is large enough to matter and whether it is more than chance.
A test split has a few hundred photos, and two equal models differ on some of them, so one photo
never decides. A large regression counts even if it is not significant.

No improvement outweighs a regression, and each rule can only object: photos that were held out
before are judged by themselves, and new ones can only add objections. A person may promote a
candidate that the gate rejects.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass
from math import comb
from typing import Any

from api.core.formatting import percent
from api.core.paired_comparison import (
    ChangedLabels,
    Contradictions,
    LabelAgreement,
    ModelComparison,
    PairedCounts,
)

# A regression with a smaller p-value is significant.
ALPHA = 0.05
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
# Since the first version that was judged by a photo: all classes together.
MAX_SINCE_FIRST_DROP = 0.03
# Below these shares a candidate is no use, however bad the champion is. A group with fewer photos
# than MIN_FOR_FLOOR is too small to say.
MIN_ACCURACY = 0.75
MIN_GROUP_ACCURACY = 0.60
MIN_FOR_FLOOR = 8
# Of the held-out photos of a class, this share may be relabelled or removed, and always this many.
MAX_CHANGED = 0.10
ALWAYS_MAY_CHANGE = 2
# Share of new uploads that may contradict the champion where it is confident. On sources that it
# has not seen it is wrong on up to 7 % of photos so (docs/crossvalidation.json, `wrong_and_sure`).
MAX_CONTRADICTED = 0.15
MIN_CONTRADICTED = 5
# Contradicting photos that look alike, uploads or corrections. Of 20 to 40 honest corrections of
# what the grader gets wrong or doubts, at most 4 do (docs/log/retraining.md).
MAX_CLUSTERED = 11
# Share of photos of known classes that are recognised.
MAX_RECOGNISED_DROP = 0.03
MAX_SIGNIFICANT_RECOGNISED_DROP = 0.01
# Or the weight of two photos, if that is more.
MAX_CALIBRATION_INCREASE = 0.02
# Of the mean log loss, in nats and as a factor: a few photos that are wrong with certainty.
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
# Guessing between two classes would give 0.5.
MIN_NEW_CLASS_RECALL = 0.75
MIN_NEW_CLASS_RECOGNISED = 0.85
MIN_LABEL_AGREEMENT = 0.70
# Lower for a single class, whose new photos may all come from one unusual place.
MIN_CLASS_LABEL_AGREEMENT = 0.50
# With fewer new photos of known classes their labels are not checked.
MIN_NEW_PHOTOS = 8
# With this many held-out new photos, only those count: they measure the candidate itself.
ENOUGH_HELD_OUT = 20


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
        *_check_changed_labels(comparison.changed_labels),
        *_check_contradictions(comparison.contradictions),
        *_check_calibration(comparison),
        *_check_recognised(comparison.recognised),
        *_check_let_through(comparison),
        *_check_speed(comparison),
        *check_new_classes(comparison.new_classes),
        *_check_new_labels(comparison.new_labels),
    ]
    reasons = objections or list(_results(comparison))
    return Verdict(not objections, reasons, asdict(comparison))


def judge_first(comparison: ModelComparison) -> Verdict:
    """Of a package that replaces none, compared with itself: it must reach the floors."""
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
        elif _agreement_rate(agreement) < MIN_NEW_CLASS_RECALL:
            yield f"It cannot tell {name} from the others: {_summary(agreement)}."


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
        if _regressed(counts, MAX_CLASS_DROP, MAX_SIGNIFICANT_CLASS_DROP, alpha):
            yield (
                f"It is worse on {name}: {counts.candidate_right} of {counts.photographs} {photos} "
                f"right, where the champion has {counts.champion_right}."
            )


def _check_groups(comparison: ModelComparison) -> Iterator[str]:
    groups = _groups(comparison)
    alpha = ALPHA / max(1, len(groups))
    for name, counts in groups.items():
        if _regressed(counts, MAX_GROUP_DROP, MAX_SIGNIFICANT_GROUP_DROP, alpha):
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
        if _regressed(counts, share, significant, own_alpha):
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


def _check_changed_labels(changed: Mapping[str, ChangedLabels]) -> Iterator[str]:
    for name, counts in changed.items():
        now = counts.relabelled + counts.removed
        limit = max(ALWAYS_MAY_CHANGE, MAX_CHANGED * counts.photos)
        if now and counts.since_first + counts.removed > limit:
            yield (
                f"Of the {counts.photos} photos of {name} that models are judged by, "
                f"{counts.relabelled} were relabelled and {counts.removed} removed for this run; "
                f"{counts.since_first} do not have their first label any more. Check these labels "
                "before you promote it."
            )


def _check_contradictions(found: Contradictions | None) -> Iterator[str]:
    if found is None:
        return
    advice = "Look at these photos before you promote it."
    if found.contradicted >= max(MIN_CONTRADICTED, MAX_CONTRADICTED * found.uploads):
        yield (
            f"Of {found.uploads} new photos of known classes the champion is sure that "
            f"{found.contradicted} have the wrong label. {advice}"
        )
    elif found.clustered_uploads > MAX_CLUSTERED:
        yield (
            f"The champion grades {found.clustered_uploads} new photos that look alike as another "
            f"class than their label. {advice}"
        )
    if found.clustered_corrections > MAX_CLUSTERED:
        yield (
            f"The champion grades {found.clustered_corrections} corrected photos that look alike "
            f"as another class than their label. {advice}"
        )


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
    if _regressed(counts, MAX_RECOGNISED_DROP, MAX_SIGNIFICANT_RECOGNISED_DROP, ALPHA):
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


def check_new_classes(new_classes: Mapping[str, LabelAgreement]) -> Iterator[str]:
    """The reasons against a model that are about its new classes."""
    for name, agreement in new_classes.items():
        if _agreement_rate(agreement) < MIN_NEW_CLASS_RECALL:
            yield f"It cannot tell the new class {name} from the others: {_summary(agreement)}."
        elif rejected := _too_many_rejected(agreement):
            yield (
                f"It does not recognise the new class {name}: {rejected} are rejected as unknown. "
                "Photos of one kind of produce, close up and from several sides, help most."
            )


def _check_new_labels(new_labels: Mapping[str, LabelAgreement]) -> Iterator[str]:
    total = _total(new_labels)
    if total.left_out >= MIN_NEW_PHOTOS and _agreement_rate(total) < MIN_LABEL_AGREEMENT:
        yield (
            f"The new labels do not fit the photos: {_summary(total)}. Check the labels of the "
            f"newest uploads ({', '.join(new_labels)})."
        )
        return
    for name, agreement in new_labels.items():
        if (
            agreement.left_out >= MIN_NEW_PHOTOS
            and _agreement_rate(agreement) < MIN_CLASS_LABEL_AGREEMENT
        ):
            yield (
                f"The new labels of {name} do not fit the photos: {_summary(agreement)}. Check the "
                "newest uploads of that class."
            )


def _results(comparison: ModelComparison) -> Iterator[str]:
    counts = comparison.overall
    if counts.photographs:
        yield (
            f"It has {counts.candidate_right} of {counts.photographs} held-out photos right; "
            f"the champion has {counts.champion_right}."
        )
    for name, agreement in comparison.new_classes.items():
        yield f"It knows the new class {name}: {_summary(agreement)}."
    total = _total(comparison.new_labels)
    if total.left_out:
        yield f"The new labels fit: {_summary(total)}."
    changed = comparison.changed_labels.values()
    if relabelled := sum(counts.relabelled for counts in changed):
        yield f"{relabelled} held-out photos were relabelled; the labels before still counted."
    if removed := sum(counts.removed for counts in changed):
        yield f"{removed} held-out photos were removed; they still counted."


def _groups(comparison: ModelComparison) -> dict[str, PairedCounts]:
    """Sources and slices, by how they are called in a reason."""
    sources = {f"photos from {name}": counts for name, counts in comparison.per_source.items()}
    return {**sources, **comparison.per_slice}


def _right(counts: PairedCounts) -> str:
    return f"{counts.candidate_right} of {counts.photographs}"


def _regressed(
    counts: PairedCounts, max_drop: float, max_significant_drop: float, alpha: float
) -> bool:
    allowed = max_significant_drop if counts.mcnemar_p < alpha else max_drop
    return counts.net_lost >= MIN_NET_LOST and counts.drop > allowed


def _agreement_rate(agreement: LabelAgreement) -> float:
    """Share of new photos graded as labelled, 0 to 1: of held-out ones if there are enough."""
    if agreement.held_out >= ENOUGH_HELD_OUT:
        return agreement.held_out_right / agreement.held_out
    return agreement.left_out_right / agreement.left_out if agreement.left_out else 0.0


def _too_many_rejected(agreement: LabelAgreement) -> str:
    """How many new photos are rejected as OOD, as a phrase; empty if that is acceptable.

    A few held-out photos are enough to show that the candidate recognises almost none.
    """
    max_rejected = 1 - MIN_NEW_CLASS_RECOGNISED
    held_out = agreement.held_out
    rejected = held_out - agreement.held_out_recognised
    phrase = f"{rejected} of {held_out} held-out new photos"
    if held_out >= ENOUGH_HELD_OUT:
        return phrase if rejected > max_rejected * held_out else ""
    left_out = agreement.left_out
    rejected_left_out = left_out - agreement.left_out_recognised
    if rejected_left_out > max_rejected * left_out:
        return f"left out one by one, {rejected_left_out} of {left_out} new photos"
    # Binomial p-value of this many rejections at the highest acceptable rate.
    p = sum(
        comb(held_out, k) * max_rejected**k * MIN_NEW_CLASS_RECOGNISED ** (held_out - k)
        for k in range(rejected, held_out + 1)
    )
    return phrase if p < ALPHA else ""


def _summary(agreement: LabelAgreement) -> str:
    held_out = f"{agreement.held_out_right} of {agreement.held_out}"
    if agreement.held_out >= ENOUGH_HELD_OUT:
        return f"{held_out} held-out new photos were graded as labelled"
    left_out = f"{agreement.left_out_right} of {agreement.left_out}"
    return f"left out one by one, {left_out} new photos were graded as labelled" + (
        f" (held out: {held_out})" if agreement.held_out else ""
    )


def _total(agreements: Mapping[str, LabelAgreement]) -> LabelAgreement:
    columns = zip(*map(astuple, agreements.values()), strict=True)
    return LabelAgreement(*map(sum, columns)) if agreements else LabelAgreement(0, 0)
