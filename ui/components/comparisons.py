"""The champion and a candidate side by side, in table rows."""

from collections.abc import Iterator

from api_models import Difference, VersionComparison
from charts.retraining import Pair
from formatting import TEST_ACCURACY, capitalize, class_label, humanize, percent
from stored_models import GateComparison, LabelAgreement, MetricPair, PairedCounts

Row = tuple[str, str, str]
# In plain words, followed by the technical term.
_MACRO_F1 = "Right, each class alike (macro F1)"
_CALIBRATION = "Confidence off by (calibration error)"
_NAMES = {
    "macro_f1": _MACRO_F1,
    "accuracy": TEST_ACCURACY,
    "expected_calibration_error": _CALIBRATION,
    "fruit_accuracy": "Fruit right",
    "freshness_accuracy": "Freshness right",
    "known_rejected": "Known photos rejected",
    "others_rejected": "Other things rejected",
    "auroc": "Known from other things (AUROC)",
}


def gate_rows(figures: GateComparison) -> list[Row]:
    """The metrics that the gate judged by, with the champion's value and the candidate's."""
    return list(_gate_rows(figures))


def by_class(figures: GateComparison) -> dict[str, Pair]:
    """How many photos of each class the two get right; new classes last. Counts held-out photos,
    except for a new class that has none: see `left_out_classes`.
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


def left_out_classes(figures: GateComparison) -> list[str]:
    """The new classes without held-out photos, measured by leaving one out at a time."""
    return [name for name, fit in figures.new_classes.items() if not fit.held_out]


def metric_rows(comparison: VersionComparison) -> list[Row]:
    """The metrics of two versions, each on its own test photos."""
    return [(_metric_name(row), _format(row.a), _format(row.b)) for row in comparison.figures]


def _gate_rows(figures: GateComparison) -> Iterator[Row]:
    if figures.overall.photographs:
        yield "Held-out photos right", *_counts(figures.overall)
    yield from _metric(_MACRO_F1, figures.macro_f1)
    yield from _metric(_CALIBRATION, figures.calibration_error)
    if figures.recognised.photographs:
        yield "Known photos recognised", *_counts(figures.recognised)
    yield from _metric("Other things accepted as known", figures.others_let_through)
    if time := figures.milliseconds:
        yield "Time per photo", f"{time.champion:.1f} ms", f"{time.candidate:.1f} ms"
    for name, fit in figures.new_classes.items():
        yield f"New class: {class_label(name)}", "not known", _agreement(fit)
    for name, fit in figures.new_labels.items():
        yield f"New photos: {class_label(name)}", "—", _agreement(fit)


def _metric(name: str, pair: MetricPair | None) -> Iterator[Row]:
    if pair:
        yield name, percent(pair.champion), percent(pair.candidate)


def _counts(paired: PairedCounts) -> tuple[str, str]:
    return (
        _share(paired.champion_right, paired.photographs),
        _share(paired.candidate_right, paired.photographs),
    )


def _share(right: int, number: int) -> str:
    return f"{percent(right / number)} ({right:,} of {number:,})"


def _right(fit: LabelAgreement) -> int:
    return fit.held_out_right if fit.held_out else fit.left_out_right


def _agreement(fit: LabelAgreement) -> str:
    if fit.held_out:
        return f"{fit.held_out_right} of {fit.held_out} held-out photos right"
    return f"left out one by one, {fit.left_out_right} of {fit.left_out} were graded correctly"


def _metric_name(row: Difference) -> str:
    return _NAMES.get(row.name, capitalize(humanize(row.name)))


def _format(value: float | None) -> str:
    return "—" if value is None else percent(value)
