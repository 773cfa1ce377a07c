"""Champion and candidate side by side, in rows that a person reads."""

from collections.abc import Iterator

from charts.retraining import Pair
from resources.models import Difference, SideBySide
from resources.runs import Comparison, Figures, Fit, Paired
from words import class_words, percent, sentence, spaced

Row = tuple[str, str, str]
_NAMES = {
    "macro_f1": "Macro F1",
    "accuracy": "Photographs right",
    "expected_calibration_error": "Calibration error",
    "fruit_accuracy": "Fruit right",
    "freshness_accuracy": "Freshness right",
    "known_rejected": "Known photographs turned away",
    "others_rejected": "Other things turned away",
    "auroc": "Telling known from other (AUROC)",
}


def judged(figures: Comparison) -> list[Row]:
    """What the gate judged by: the figure, the champion's value, the candidate's."""
    return list(_judged(figures))


def by_class(figures: Comparison) -> dict[str, Pair]:
    """How many photographs of each class the two have right, classes new in the candidate last.

    All are held-out ones, but for a new class of which none is: see `by_what_others_teach`.
    """
    known = {
        name: Pair(paired.photographs, paired.champion_right, paired.candidate_right)
        for name, paired in figures.per_class.items()
    }
    new = {
        name: Pair(fit.held_out or fit.left_out, None, _right(fit))
        for name, fit in figures.new_classes.items()
    }
    return known | new


def by_what_others_teach(figures: Comparison) -> list[str]:
    """The new classes of which no photograph is held out: each was graded by what the others of
    its class teach."""
    return [name for name, fit in figures.new_classes.items() if not fit.held_out]


def measured(found: SideBySide) -> list[Row]:
    """The figures that two versions say of themselves."""
    return [(_name(row), _value(row.a), _value(row.b)) for row in found.figures]


def _judged(figures: Comparison) -> Iterator[Row]:
    if figures.overall.photographs:
        yield "Held-out photographs right", *_pair(figures.overall)
    yield from _figure("Macro F1", figures.macro_f1)
    yield from _figure("Calibration error", figures.calibration_error)
    if figures.recognised.photographs:
        yield "Known photographs recognised", *_pair(figures.recognised)
    yield from _figure("Other things taken for known", figures.others_let_through)
    if time := figures.milliseconds:
        yield "Time for one photograph", f"{time.champion:.1f} ms", f"{time.candidate:.1f} ms"
    for name, fit in figures.new_classes.items():
        yield f"New class: {class_words(name)}", "unknown to it", _fit(fit)
    for name, fit in figures.new_labels.items():
        yield f"New photographs: {class_words(name)}", "—", _fit(fit)


def _figure(name: str, found: Figures | None) -> Iterator[Row]:
    if found:
        yield name, percent(found.champion), percent(found.candidate)


def _pair(paired: Paired) -> tuple[str, str]:
    return (
        _of(paired.champion_right, paired.photographs),
        _of(paired.candidate_right, paired.photographs),
    )


def _of(right: int, number: int) -> str:
    return f"{percent(right / number)} ({right:,} of {number:,})"


def _right(fit: Fit) -> int:
    return fit.held_out_right if fit.held_out else fit.left_out_right


def _fit(fit: Fit) -> str:
    if fit.held_out:
        return f"{fit.held_out_right} of {fit.held_out} held-out ones right"
    return f"{fit.left_out_right} of {fit.left_out} right, each by what the others teach"


def _name(row: Difference) -> str:
    return _NAMES.get(row.name, sentence(spaced(row.name)))


def _value(value: float | None) -> str:
    return "—" if value is None else percent(value)
