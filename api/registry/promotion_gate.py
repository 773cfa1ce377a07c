"""The gate: may a candidate serve in the champion's place? A pure function with reasons.

Its rules ask two things of a loss: is it large enough to matter, and is it more than chance? A
test split has a few hundred photographs, of which two equal graders differ on some: so one
photograph alone never decides. Where a loss is large, the candidate bears the burden of proof.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass
from math import comb
from typing import Any

from api.core.formatting import percent
from api.core.paired_comparison import Comparison, Fit, Paired

# Under this chance of coming about between equal graders, a loss is proven.
PROVEN = 0.05
# One photograph is never enough to reject a candidate.
LEAST_LOST = 2
# Macro F1, from 0 to 1, may fall by so much: what the project promises of the known classes.
MACRO_F1_LOSS = 0.005
# A class's recall may fall by so much even where its few photographs cannot prove it; a proven loss
# may be only as small as the second figure. The classes share PROVEN between them, since one of
# many looks worse by chance (O. J. Dunn, "Multiple Comparisons among Means", 1961).
CLASS_LOSS = 0.10
PROVEN_CLASS_LOSS = 0.01
# The same for the share of known photographs that are recognised, which is 1 less by design
# (training.reject) and a matter of few photographs.
RECOGNISED_LOSS = 0.03
PROVEN_RECOGNISED_LOSS = 0.01
# The calibration error may grow by so much, or by what two photographs amount to.
CALIBRATION_GROWTH = 0.02
# The share of other things let through may grow by so much, while the classes stay the same.
LET_THROUGH_GROWTH = 0.10
SLOWER = 1.10
# Of a new class, and of new photographs of known ones, at least so many must be graded as labelled;
# of guesses between two classes half would be.
NEW_RECALL = 0.75
# And so many must be recognised as any class at all.
NEW_RECOGNISED = 0.85
NEW_LABELS_FIT = 0.70
# A single class's new labels are judged more mildly: a new kitchen may hide one class's look.
CLASS_LABELS_FIT = 0.50
# Fewer new photographs of a class show nothing; with as many held out as the second figure, those
# alone decide, since they show what the candidate itself can do.
LEAST_NEW = 8
ENOUGH_HELD_OUT = 20


@dataclass(frozen=True)
class Verdict:
    """What the gate says; `reasons` are sentences, `figures` what it was judged by."""

    promote: bool
    reasons: tuple[str, ...]
    figures: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "reasons": list(self.reasons)}


def judge(comparison: Comparison) -> Verdict:
    """Promote where no rule speaks against it; the reasons then say what was found."""
    against = [
        *_overall(comparison),
        *_classes(comparison.per_class),
        *_confidence(comparison),
        *_speed(comparison),
        *_new(comparison),
    ]
    reasons = against or list(_in_favour(comparison))
    return Verdict(not against, tuple(reasons), asdict(comparison))


def _overall(found: Comparison) -> Iterator[str]:
    paired = found.overall
    if not paired.photographs and not found.new_classes:
        yield "There are no held-out photographs to compare the two on."
    if paired.net_lost < LEAST_LOST:
        return
    lost = f"it loses {paired.lost} of {paired.photographs} held-out photographs that the champion "
    lost += f"has right and wins {paired.won}"
    if paired.chance < PROVEN:
        yield f"The candidate is worse: {lost} (chance {paired.chance:.3f})."
    elif found.macro_f1 and -found.macro_f1.growth > MACRO_F1_LOSS:
        yield (
            f"The candidate is worse: macro F1 falls from {percent(found.macro_f1.champion)} to "
            f"{percent(found.macro_f1.candidate)}; {lost}."
        )


def _classes(per_class: Mapping[str, Paired]) -> Iterator[str]:
    proven = PROVEN / max(1, len(per_class))
    for name, paired in per_class.items():
        if _worse(paired, CLASS_LOSS, PROVEN_CLASS_LOSS, proven):
            yield (
                f"It is worse on {name}: {paired.candidate_right} of {paired.photographs} held-out "
                f"photographs right, where the champion has {paired.champion_right}."
            )


def _confidence(found: Comparison) -> Iterator[str]:
    paired, error, others = found.recognised, found.calibration_error, found.others_let_through
    if error is not None:
        bound = max(CALIBRATION_GROWTH, 2 / found.overall.photographs)
        if error.growth > bound:
            yield (
                f"Its confidence can be believed less: the calibration error grows from "
                f"{percent(error.champion)} to {percent(error.candidate)}."
            )
    if _worse(paired, RECOGNISED_LOSS, PROVEN_RECOGNISED_LOSS, PROVEN):
        yield (
            f"It turns away more that it knows: {paired.photographs - paired.candidate_right} of "
            f"{paired.photographs} known photographs are not recognised, where the champion turns "
            f"away {paired.photographs - paired.champion_right}."
        )
    # With new classes, some of what was other before is known now.
    if others is not None and not found.new_classes and others.growth > LET_THROUGH_GROWTH:
        yield (
            "It takes more other things for what it knows: "
            f"{percent(others.candidate)} of them, where the champion takes "
            f"{percent(others.champion)}."
        )


def _speed(found: Comparison) -> Iterator[str]:
    time = found.milliseconds
    if time is not None and time.candidate > SLOWER * time.champion:
        yield (
            f"It is slower: {time.candidate:.1f} ms a photograph against {time.champion:.1f} ms."
        )


def _new(found: Comparison) -> Iterator[str]:
    for name, fit in found.new_classes.items():
        if _share(fit) < NEW_RECALL:
            yield f"It cannot tell the new class {name}: {_counted(fit)}."
        elif unknown := _unrecognised(fit):
            yield (
                f"It does not recognise the new class {name}: {unknown} are taken for none of the "
                "classes. Photographs of one kind only, close to and from several sides, help most."
            )
    labelled = found.new_labels
    together = _sum(labelled)
    if together.left_out >= LEAST_NEW and _share(together) < NEW_LABELS_FIT:
        yield (
            f"The new labels do not fit the photographs: {_counted(together)}. Check the labels of "
            f"the newest uploads ({', '.join(labelled)})."
        )
        return
    for name, fit in labelled.items():
        if fit.left_out >= LEAST_NEW and _share(fit) < CLASS_LABELS_FIT:
            yield (
                f"The new labels {name} do not fit the photographs: {_counted(fit)}. Check the "
                "newest uploads of that class."
            )


def _in_favour(found: Comparison) -> Iterator[str]:
    paired = found.overall
    if paired.photographs:
        yield (
            f"It has {paired.candidate_right} of {paired.photographs} held-out photographs right; "
            f"the champion has {paired.champion_right}."
        )
    for name, fit in found.new_classes.items():
        yield f"It knows the new class {name}: {_counted(fit)}."
    together = _sum(found.new_labels)
    if together.left_out:
        yield f"The new labels fit: {_counted(together)}."


def _worse(paired: Paired, large: float, small: float, proven: float) -> bool:
    """Is the loss large, or smaller and proven? One photograph is neither."""
    if paired.net_lost < LEAST_LOST:
        return False
    return paired.drop > large or (paired.drop > small and paired.chance < proven)


def _share(fit: Fit) -> float:
    """The share that is graded as labelled, 0 to 1, by the better of the two measures."""
    if fit.held_out >= ENOUGH_HELD_OUT:
        return fit.held_out_right / fit.held_out
    return fit.left_out_right / fit.left_out if fit.left_out else 0.0


def _unrecognised(fit: Fit) -> str:
    """How many are taken for none of the classes, in words; empty where those are few enough.

    Too few held-out photographs to decide alone still show a candidate that recognises none.
    """
    lost = fit.held_out - fit.held_out_recognised
    held_out = f"{lost} of {fit.held_out} held-out new photographs"
    if fit.held_out >= ENOUGH_HELD_OUT:
        return held_out if lost > (1 - NEW_RECOGNISED) * fit.held_out else ""
    others = fit.left_out - fit.left_out_recognised
    if others > (1 - NEW_RECOGNISED) * fit.left_out:
        return f"{others} of {fit.left_out} new photographs, each judged by what the others teach,"
    # So many or more, were the share that is asked for recognised.
    chance = sum(
        comb(fit.held_out, k) * (1 - NEW_RECOGNISED) ** k * NEW_RECOGNISED ** (fit.held_out - k)
        for k in range(lost, fit.held_out + 1)
    )
    return held_out if chance < PROVEN else ""


def _counted(fit: Fit) -> str:
    if fit.held_out >= ENOUGH_HELD_OUT:
        return (
            f"of {fit.held_out} held-out new photographs {fit.held_out_right} are graded as they "
            "are labelled"
        )
    return (
        f"of {fit.left_out} new photographs, each graded by what the others teach, "
        f"{fit.left_out_right} come out as they are labelled"
        + (f" (held out: {fit.held_out_right} of {fit.held_out})" if fit.held_out else "")
    )


def _sum(fits: Mapping[str, Fit]) -> Fit:
    columns = zip(*map(astuple, fits.values()), strict=True)
    return Fit(*map(sum, columns)) if fits else Fit(0, 0)
