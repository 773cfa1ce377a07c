"""Parts of the Model report: the figures that stand together, classes, mistakes, slices."""

import components
import streamlit as st
from charts.report import confusion, figure_intervals, slice_intervals
from resources.report import Figure, Manifest, Report, Scores
from words import class_labels, counted, percent

NOT_MEASURED = (
    "This version was not measured for it. A fast retraining measures less than a full one, which "
    "the page Retrain can start."
)


def figures(found: Report) -> None:
    """All of them, always together, each with its interval, its split and its data."""
    st.header("How often is it right?", anchor=False)
    if not found.figures:
        components.empty_state(
            "fact_check",
            "Nothing was measured",
            "Train with `make train`, and measure the recipe with `make crossvalidate`.",
        )
        return
    st.write(found.story)
    told = "; ".join(f"{figure.title}: {_interval(figure)}" for figure in found.figures)
    components.chart(figure_intervals(found.figures), "figures", f"{told}.")
    # Of the tables, only this kind breaks its lines: split and data must not need scrolling.
    st.table(
        {
            "Figure, with its 95 % interval": [
                f"{figure.title}: **{_interval(figure)}**" for figure in found.figures
            ],
            "Measured on": [_measured_on(figure) for figure in found.figures],
        }
    )
    if any(figure.measures == "recipe" for figure in found.figures):
        st.caption(
            "Figures of the recipe are of graders that it made, each measured on files that it had "
            "not learned from."
            + (
                ""
                if found.same_data
                else " This version learned from other photographs than those, so they are not its "
                "own."
            )
        )


def classes(manifest: Manifest) -> None:
    """Precision, recall and F1 of each class, and what was taken for what."""
    scores = manifest.scores
    if not scores.per_class:
        st.info(NOT_MEASURED, icon=":material/info:")
        return
    labels = class_labels(scores.per_class)
    st.dataframe(
        {
            "Class": [labels[name] for name in scores.per_class],
            "Precision": [_share(row.precision) for row in scores.per_class.values()],
            "Recall": [_share(row.recall) for row in scores.per_class.values()],
            "F1": [_share(row.f1) for row in scores.per_class.values()],
            "Files": [row.files for row in scores.per_class.values()],
        },
        hide_index=True,
        alt="Precision, recall and F1 of each class.",
        column_config={
            "Precision": st.column_config.TextColumn(help="Of those called so, how many are."),
            "Recall": st.column_config.TextColumn(help="Of those that are, how many are found."),
            "F1": st.column_config.TextColumn(help="The harmonic mean of both."),
        },
    )
    if scores.confusion_matrix:
        st.subheader("What was taken for what", anchor=False)
        components.chart(
            confusion(scores.confusion_matrix, manifest.classes),
            "confusion",
            f"Confusion matrix: {_confused(scores, manifest.classes)}.",
        )
        st.caption("A row is what a photograph shows, a column what it was called; files.")
    _on(scores)


def mistakes(scores: Scores) -> None:
    """Where it was wrong and surest of it, and where it is good and where not."""
    st.subheader("Worst mistakes", anchor=False)
    if scores.worst_mistakes:
        names = {m.true for m in scores.worst_mistakes} | {
            m.predicted for m in scores.worst_mistakes
        }
        labels = class_labels(names)
        st.dataframe(
            {
                "Is": [labels[mistake.true] for mistake in scores.worst_mistakes],
                "Called": [labels[mistake.predicted] for mistake in scores.worst_mistakes],
                "Sure to": [percent(mistake.confidence) for mistake in scores.worst_mistakes],
                "Copies wrong": [mistake.copies_wrong for mistake in scores.worst_mistakes],
                "File": [mistake.file for mistake in scores.worst_mistakes],
            },
            hide_index=True,
            alt="The surest wrong answers, the worst first.",
        )
        st.caption(
            "The surest wrong answers, one file of each photograph. By name only: the photographs "
            "stay where the model was trained."
        )
    else:
        st.info(NOT_MEASURED, icon=":material/info:")
    if scores.slices:
        st.subheader("Where it is good, and where not", anchor=False)
        told = "; ".join(
            f"{part.by} {part.part} {percent(part.accuracy)}" for part in scores.slices
        )
        components.chart(slice_intervals(scores.slices), "slices", f"Right by part: {told}.")
        st.caption("Share right with its 95 % interval. Wide ones hold few photographs.")
        _on(scores)


def _on(scores: Scores) -> None:
    if scores.split:
        parts = [
            counted(number, noun)
            for number, noun in ((scores.files, "file"), (scores.photographs, "photograph"))
            if number is not None
        ]
        st.caption(f"Measured on: {scores.split} ({' of '.join(parts)}).")


def _confused(scores: Scores, names: list[str]) -> str:
    labels = class_labels(names)
    found = [
        f"{count} {labels[names[row]]} called {labels[names[column]]}"
        for row, counts in enumerate(scores.confusion_matrix)
        for column, count in enumerate(counts)
        if count and row != column and max(row, column) < len(names)
    ]
    return ", ".join(found) or "nothing was mistaken"


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return percent(figure.value)
    return f"{percent(figure.value)} ({percent(figure.low)} to {percent(figure.high)})"


def _measured_on(figure: Figure) -> str:
    who = "This version" if figure.measures == "version" else "The recipe"
    return f"{who}, on {figure.counts}: {figure.split}."


def _share(value: float | None) -> str:
    return "—" if value is None else percent(value)
