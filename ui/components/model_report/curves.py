"""Parts of the Model report: confidence and curves, training, comparison of two versions."""

import cached_api
import streamlit as st
from api_models import Manifest, VersionComparison, VersionDetails, Versions
from charts.curves import precision_recall_curves, reliability, roc_curves, training_curve
from errors import ApiError
from formatting import capitalize, class_label, humanize, percent, version_labels
from plain_text import as_markdown
from stored_models import HeldOutMetrics

from components import comparisons
from components.display import chart
from components.messages import empty_state, show_error
from components.model_report.classes import NOT_MEASURED
from components.model_report.trial import try_both


def confidence(metrics: HeldOutMetrics) -> None:
    """Calibration, and how well each class is separated from the others."""
    st.subheader("Can its confidence be trusted?", anchor=False)
    if not metrics.reliability:
        st.info(NOT_MEASURED, icon=":material/info:")
        return
    if metrics.expected_calibration_error is not None:
        st.write(
            f"On average the confidence is {percent(metrics.expected_calibration_error)} away from "
            "how often it is right (expected calibration error)."
        )
    listed = ", ".join(
        f"{percent(part.confidence)} sure, {percent(part.accuracy)} right"
        for part in metrics.reliability
    )
    chart(reliability(metrics.reliability), "reliability", f"Reliability: {listed}.")
    st.caption("On the dashed line, confidence equals accuracy. A larger dot holds more files.")
    if metrics.roc:
        st.subheader("Each class against all others", anchor=False)
        areas = ", ".join(f"{class_label(name)} {c.auc:.4f}" for name, c in metrics.roc.items())
        chart(roc_curves(metrics.roc), "roc", f"ROC curves; areas: {areas}.")
        st.caption("ROC, with the area under each curve; 1 is perfect, 0.5 is guessing.")
    if curves := metrics.precision_recall:
        areas = ", ".join(
            f"{class_label(name)} {c.average_precision:.4f}" for name, c in curves.items()
        )
        chart(
            precision_recall_curves(curves),
            "precision-recall",
            f"Precision against recall; average precision: {areas}.",
        )
        st.caption("Precision against recall, with the average precision of each class.")


def training(manifest: Manifest) -> None:
    """The training curves and the recipe."""
    history = manifest.metrics.training_curves
    if history:
        for name, title in (("loss", "Loss"), ("accuracy", "Right")):
            st.subheader(f"{title} by epoch", anchor=False)
            last = history[-1].get(f"val_{name}")
            chart(
                training_curve(history, name, title),
                f"training-{name}",
                f"{title} over {len(history)} epochs"
                + (f"; at the end {last:.3f} on validation photos." if last else "."),
            )
    elif manifest.recipe.get("mode") == "fast":
        st.info(
            "A quick retraining has no epochs to show: it learns the last layer in one step. The "
            "rest of the network comes from the version that it was made from.",
            icon=":material/bolt:",
        )
    else:
        st.info(NOT_MEASURED, icon=":material/info:")
    with st.expander("Recipe", icon=":material/list:"):
        st.table(
            {
                "Setting": [as_markdown(capitalize(humanize(name))) for name in manifest.recipe],
                "Value": [as_markdown(str(value)) for value in manifest.recipe.values()],
            }
        )


def compare_with(details: VersionDetails, versions: Versions, key: str) -> None:
    """Compare the version with another one, by default the champion."""
    others = [v.version for v in versions.models if v.version != details.version]
    if not others:
        empty_state(
            "compare_arrows", "There is only one version", "Make another on the Retrain page."
        )
        return
    first = others.index(versions.champion) if versions.champion in others else 0
    labels = version_labels(versions)
    other = st.selectbox(
        "Compare with",
        others,
        index=first,
        key=key,
        format_func=lambda name: labels.get(name, name),
    )
    try:
        comparison = cached_api.compare_versions(other, details.version)
    except ApiError as error:
        show_error(error, rejected="The two cannot be compared")
        return
    rows = comparisons.metric_rows(comparison)
    if rows:
        _figures(rows, comparison)
    else:
        st.info(NOT_MEASURED, icon=":material/info:")
    if "pruned" not in (comparison.a.status, comparison.b.status):
        try_both(other, details.version)


def _figures(rows: list[comparisons.Row], comparison: VersionComparison) -> None:
    st.table(
        {
            "Metric": [name for name, _, _ in rows],
            comparison.a.version: [value for _, value, _ in rows],
            comparison.b.version: [value for _, _, value in rows],
        }
    )
    if comparison.same_data:
        st.caption("Both were measured on the same photos.")
    else:
        st.warning(
            "The two were measured on different photos, so a difference may come from those. The "
            "checks of a new version use the same photos; see the Retrain page.",
            icon=":material/warning:",
        )
