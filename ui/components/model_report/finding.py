"""How well the fruits in photos of several are found: by fruit, size and source, and the worst
misses."""

from collections.abc import Mapping

import streamlit as st
from api_models import Manifest
from charts.report import found_bars
from formatting import capitalize, humanize, percent, pluralize
from plain_text import as_cell
from stored_models import BoxedFindings, DetectionMetrics, Misses

from components.display import chart
from components.model_report.wrong_photos import missed_fruits

_NO_DETECTOR = (
    "This version cannot find the single fruits of a photo: it grades each photo as a whole."
)
_NOT_MEASURED = (
    "This was not measured for this version. A thorough retraining, on the Retrain page, "
    "measures it."
)
_NO_BOXES = (
    "No photo with boxes was held out to measure it on. Draw boxes on the Predict page, or upload "
    "photos with boxes: about one in seven is held out."
)
_SIZES = {
    "small": "Small: up to a seventh of the photo's side",
    "medium": "Medium: up to a third",
    "large": "Large",
}


def finding(manifest: Manifest) -> None:
    """This whole part of the page, for the version of `manifest`."""
    detector = manifest.detector
    if detector is None:
        st.info(_NO_DETECTOR, icon=":material/info:")
        return
    metrics = detector.metrics or DetectionMetrics()
    if not metrics.boxed and not metrics.single:
        st.info(_NOT_MEASURED, icon=":material/info:")
        return
    if metrics.boxed:
        _summary(metrics.boxed, metrics)
        _by_fruit(metrics.boxed)
        _by_size(metrics.boxed)
    else:
        st.info(_NO_BOXES, icon=":material/info:")
    _by_source(metrics)
    _worst(manifest.version, metrics.worst_misses)
    if detector.catalog:
        st.caption(
            f"It has learned from {pluralize(detector.catalog.photographs, 'photo')} with boxes of "
            f"the training data, with {pluralize(detector.catalog.boxes, 'fruit')}."
        )


def _summary(boxed: BoxedFindings, metrics: DetectionMetrics) -> None:
    graded = metrics.grades_of_found
    figures = {
        "Fruits found": boxed.recall,
        "Right number of fruits": boxed.right_number,
        "Fresh or rotten right": graded.fresh_or_rotten_right,
    }
    helps = {
        "Fruits found": "Of all fruits with a box, those whose place is found.",
        "Right number of fruits": "Of the photos in which every fruit has a box.",
        "Fresh or rotten right": f"Of {pluralize(graded.fruits, 'found fruit')} whose freshness is "
        "known.",
    }
    for column, (name, value) in zip(st.columns(len(figures)), figures.items(), strict=True):
        column.metric(name, "—" if value is None else percent(value), help=helps[name])
    st.caption(
        f"Measured on {pluralize(boxed.photographs, 'photo')} with "
        f"{pluralize(boxed.fruits, 'boxed fruit')}, held out: the model has not learned from them."
    )


def _by_fruit(boxed: BoxedFindings) -> None:
    if not boxed.average_precision_by_fruit:
        return
    shares = {capitalize(name): value for name, value in boxed.average_precision_by_fruit.items()}
    st.subheader("By fruit", anchor=False)
    chart(found_bars(shares), "found-by-fruit", f"Average precision: {_listed(shares)}.")
    st.caption(
        "Average precision: 100 % if all are found and nothing else is taken for one. A box counts "
        "if it covers the fruit by at least half."
    )


def _by_size(boxed: BoxedFindings) -> None:
    shares = {
        f"{_SIZES.get(name, name)} ({size.fruits:,})": size.recall
        for name, size in boxed.recall_by_size.items()
        if size.recall is not None
    }
    if shares:
        st.subheader("By size in the photo", anchor=False)
        chart(found_bars(shares), "found-by-size", f"Fruits found: {_listed(shares)}.")
        st.caption("Share of the fruits found; in brackets, how many there are.")


def _by_source(metrics: DetectionMetrics) -> None:
    rows = [
        (_source(name), part.photographs, part.fruits, part.recall, part.right_number)
        for name, part in metrics.by_source.items()
    ] + [
        (f"{_source(name)}, one fruit", part.photographs, part.photographs, None, part.exactly_one)
        for name, part in metrics.single.items()
    ]
    if not rows:
        return
    st.subheader("By source", anchor=False)
    st.dataframe(
        {
            "Photos of": [as_cell(row[0]) for row in rows],
            "Photos": [row[1] for row in rows],
            "Fruits": [row[2] for row in rows],
            "Found": [_share(row[3]) for row in rows],
            "Right number": [_share(row[4]) for row in rows],
        },
        hide_index=True,
        alt="Fruits found and right numbers, by source.",
    )


def _worst(version: str, misses: list[Misses]) -> None:
    if not misses:
        return
    st.subheader("Worst misses", anchor=False)
    any_here = missed_fruits(version)
    st.dataframe(
        {
            "File": [as_cell(row.file) for row in misses],
            "Photos of": [as_cell(_source(row.source)) for row in misses],
            "Fruits": [row.fruits for row in misses],
            "Missed": [row.missed for row in misses],
            "Extra boxes": [row.surplus for row in misses],
        },
        hide_index=True,
        alt="The photos with the most missed fruits or extra boxes, the worst first.",
    )
    others = "Of the others, file names only: the" if any_here else "File names only: these"
    st.caption(
        f"{others} photos came with the model, were imported where it was trained, or were removed "
        "since. Photos with boxes of the training data are shown."
    )


def _source(name: str) -> str:
    if name == "catalog":
        return "Your training data"
    return capitalize(humanize(name)) if name else "Folders of no source"


def _listed(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {percent(value)}" for name, value in shares.items())


def _share(value: float | None) -> str:
    return "—" if value is None else percent(value)
