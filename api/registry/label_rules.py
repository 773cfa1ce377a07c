"""The gate's rules on labels: new classes, new labels of known ones, changed and contradicted ones.

The uploader chooses these labels, so they are checked against the photos, the previous labels, and
the champion.
"""

from collections.abc import Iterator, Mapping
from dataclasses import astuple
from math import comb

from api.core.paired_comparison import ALPHA, ChangedLabels, Contradictions, LabelAgreement

# Share of a class's held-out photos that may be relabelled or removed; this many always may.
MAX_CHANGED = 0.10
ALWAYS_MAY_CHANGE = 2
# Share of new uploads that may contradict the champion where it is confident. It is confidently
# wrong on up to 7 % of photos from unseen sources (docs/crossvalidation.json, `wrong_and_sure`).
MAX_CONTRADICTED = 0.15
MIN_CONTRADICTED = 5
# Photos that look alike and contradict the champion, among uploads or corrections. Among 20 to 40
# honest corrections of what the grader gets wrong or doubts, there are at most 4
# (docs/log/retraining.md).
MAX_CLUSTERED = 11
# Guessing between two classes would give 0.5.
MIN_NEW_CLASS_RECALL = 0.75
MIN_NEW_CLASS_RECOGNISED = 0.85
MIN_LABEL_AGREEMENT = 0.70
# Lower for a single class, whose new photos may all come from one unusual place.
MIN_CLASS_LABEL_AGREEMENT = 0.50
# With fewer new photos of known classes, their labels are not checked.
MIN_NEW_PHOTOS = 8
# With this many held-out new photos, only those count: they measure the candidate itself.
ENOUGH_HELD_OUT = 20


def check_new_classes(new_classes: Mapping[str, LabelAgreement]) -> Iterator[str]:
    """Objections to the new classes of a model."""
    for name, agreement in new_classes.items():
        if agreement_rate(agreement) < MIN_NEW_CLASS_RECALL:
            yield f"It cannot tell the new class {name} from the others: {describe(agreement)}."
        elif rejected := _too_many_rejected(agreement):
            yield (
                f"It does not recognise the new class {name}: {rejected} are rejected as unknown. "
                "Photos of one kind of produce, close up and from several sides, help most."
            )


def check_new_labels(new_labels: Mapping[str, LabelAgreement]) -> Iterator[str]:
    total = add_agreements(new_labels)
    if total.left_out >= MIN_NEW_PHOTOS and agreement_rate(total) < MIN_LABEL_AGREEMENT:
        yield (
            f"The new labels do not fit the photos: {describe(total)}. Check the labels of the "
            f"newest uploads ({', '.join(new_labels)})."
        )
        return
    for name, agreement in new_labels.items():
        if (
            agreement.left_out >= MIN_NEW_PHOTOS
            and agreement_rate(agreement) < MIN_CLASS_LABEL_AGREEMENT
        ):
            yield (
                f"The new labels of {name} do not fit the photos: {describe(agreement)}. Check the "
                "newest uploads of that class."
            )


def check_changed_labels(changed: Mapping[str, ChangedLabels]) -> Iterator[str]:
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


def check_contradictions(found: Contradictions | None) -> Iterator[str]:
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


def agreement_rate(agreement: LabelAgreement) -> float:
    """Share of new photos graded as labelled, 0 to 1; of held-out ones if there are enough."""
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


def describe(agreement: LabelAgreement) -> str:
    held_out = f"{agreement.held_out_right} of {agreement.held_out}"
    if agreement.held_out >= ENOUGH_HELD_OUT:
        return f"{held_out} held-out new photos were graded as labelled"
    left_out = f"{agreement.left_out_right} of {agreement.left_out}"
    return f"left out one by one, {left_out} new photos were graded as labelled" + (
        f" (held out: {held_out})" if agreement.held_out else ""
    )


def add_agreements(agreements: Mapping[str, LabelAgreement]) -> LabelAgreement:
    columns = zip(*map(astuple, agreements.values()), strict=True)
    return LabelAgreement(*map(sum, columns)) if agreements else LabelAgreement(0, 0)
