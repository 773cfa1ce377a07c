"""The outcome of a run: the verdict, its reasons, and candidate and champion side by side."""

import cached_api
import streamlit as st
from api_models import Run
from charts.retraining import Pair, recall_pairs
from client import photo_path
from formatting import (
    class_label,
    describe_left_out,
    describe_skipped,
    duration,
    name_classes,
    run_label,
    verdict_in_words,
)
from plain_text import as_markdown
from stored_models import GateComparison, Verdict

from components import comparisons
from components.display import chart
from components.retrain import carry_over
from components.retrain.champion import AREA, confirm_promotion
from components.retrain.found_fruits import found_fruits
from components.retrain.start import start_again

_THUMBNAIL_PIXELS = 110
_ENDS = {
    "failed": ("The last run failed", "error"),
    "cancelled": ("The last run was cancelled", "cancel"),
    "interrupted": ("The last run was interrupted", "power_off"),
}


def outcome(run: Run, champion: str | None) -> None:
    """The outcome of a finished `run`; `champion` is the version in use."""
    if run.verdict is None or run.candidate is None:
        title, icon = _ENDS.get(run.state, ("The last run is over", "info"))
        show = st.error if run.state == "failed" else st.info
        show(f"**{title}**\n\n{as_markdown(run.message)}", icon=f":material/{icon}:")
        if run.state in ("cancelled", "interrupted"):
            start_again(run)
        return
    st.header("New model compared with the current one", anchor=False)
    _verdict(run.candidate, run.verdict, champion)
    if run.verdict.figures:
        _contradicted(run.verdict.figures)
        _left_out(run.verdict.figures)
        _unlearnable(run.verdict.figures)
        _skipped(run.verdict.figures)
        if comparisons.gate_rows(run.verdict.figures):
            _side_by_side(run.verdict.figures, run.candidate)
        found_fruits(run.verdict.figures.detector, run.mode)
    seconds = run_seconds(run)
    taken = f" in {duration(seconds)}" if seconds is not None else ""
    st.caption(f"{run_label(run.mode)}{taken}.")


def run_seconds(run: Run) -> float | None:
    """How long the run took; None if it has not started or not ended."""
    if run.started_at is None or run.finished_at is None:
        return None
    return (run.finished_at - run.started_at).total_seconds()


def _verdict(candidate: str, verdict: Verdict, champion: str | None) -> None:
    reasons = _reasons(verdict)
    listed = "\n".join(f"- {as_markdown(reason)}" for reason in reasons)
    if verdict.promote:
        now = "is now in use" if candidate == champion else "was in use; another version is now"
        st.success(
            f"**Version {candidate} passed the checks and {now}**\n\n{listed}",
            icon=":material/verified:",
        )
        if candidate == champion:
            carry_over.offer(AREA, candidate)
        return
    if verdict.passed:
        _waiting(candidate, listed, champion)
        return
    st.warning(
        f"**Version {candidate} did not pass the checks**\n\n{listed}", icon=":material/block:"
    )
    if candidate == champion:
        st.write("A person put it in use anyway.")
    elif champion and st.button("Put it in use anyway", icon=":material/upgrade:"):
        confirm_promotion(champion, candidate, reasons)


def _waiting(candidate: str, listed: str, champion: str | None) -> None:
    """A version that passed the gate, if only a person may promote it."""
    if candidate == champion:
        st.success(
            f"**Version {candidate} passed the checks, and a person put it in use**\n\n{listed}",
            icon=":material/verified:",
        )
        return
    st.info(
        f"**Version {candidate} passed the checks and waits for you**\n\n{listed}",
        icon=":material/pending_actions:",
    )
    if champion and st.button("Put it in use", type="primary", icon=":material/upgrade:"):
        confirm_promotion(champion, candidate, ())


def _left_out(figures: GateComparison) -> None:
    if figures.left_out_classes:
        st.info(
            f"**Not learned: too few photos.** {describe_left_out(figures.left_out_classes)}",
            icon=":material/hourglass_empty:",
        )


def _unlearnable(figures: GateComparison) -> None:
    if figures.unlearnable_classes:
        st.info(
            "**Not learned: cannot be told from the other classes.** "
            f"{name_classes(figures.unlearnable_classes)}. Check its photos on the Training data "
            "page, or add more of them.",
            icon=":material/help:",
        )


def _skipped(figures: GateComparison) -> None:
    if figures.skipped:
        names = [photo.filename for photo in figures.skipped_photos]
        st.warning(describe_skipped(names, figures.skipped), icon=":material/broken_image:")


def _reasons(verdict: Verdict) -> tuple[str, ...]:
    figures = verdict.figures
    names = set[str]()
    if figures:
        by_class = (figures.per_class, figures.new_classes, figures.new_labels)
        names.update(*by_class, figures.lost_classes)
    return tuple(verdict_in_words(reason, names) for reason in verdict.reasons)


def _contradicted(figures: GateComparison) -> None:
    """New photos whose label the current model is sure is wrong, to review before promoting."""
    found = figures.contradictions
    if not found or not found.image_ids:
        return
    with st.expander("Photos whose label the current model contradicts", icon=":material/search:"):
        st.write(
            "The current model is over 90 % sure that these new photos show something else than "
            "their label says. If the labels are right, it has something to learn from them."
        )
        thumbnails = cached_api.thumbnails().get([photo_path(one) for one in found.image_ids])
        shown = [thumbnail for thumbnail in thumbnails if thumbnail is not None]
        if shown:
            st.image(shown, width=_THUMBNAIL_PIXELS)
        else:
            st.caption("They were removed since.")


def _side_by_side(figures: GateComparison, candidate: str) -> None:
    table, by_class = st.columns([3, 2], gap="large")
    with table:
        _table(figures)
        st.caption(
            f"Both graded the same {figures.overall.photographs:,} held-out photos, which neither "
            f"learned from; saved copies of a photo count once. New model: {candidate}."
        )
    with by_class:
        _by_class(figures)


def _table(figures: GateComparison) -> None:
    rows = comparisons.gate_rows(figures)
    st.table(
        {
            "Metric": [as_markdown(name) for name, _, _ in rows],
            "Current": [as_markdown(value) for _, value, _ in rows],
            "New": [as_markdown(value) for _, _, value in rows],
        },
    )


def _by_class(figures: GateComparison) -> None:
    pairs = comparisons.by_class(figures)
    if not pairs:
        return
    st.subheader("Right by class", anchor=False)
    listed = ", ".join(f"{class_label(name)} {_counts(pair)}" for name, pair in pairs.items())
    chart(recall_pairs(pairs), "recalls", f"Right by class, current and new model: {listed}.")
    if left_out := comparisons.left_out_classes(figures):
        names = ", ".join(as_markdown(class_label(name)) for name in left_out)
        st.caption(f"{names}: too few photos to hold any out, so they were left out one by one.")


def _counts(pair: Pair) -> str:
    champion = "not known" if pair.champion is None else pair.champion
    return f"{champion} and {pair.candidate} of {pair.photos}"
