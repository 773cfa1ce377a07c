"""Parts of the Model report: confidence and curves, training, two versions."""

import loaders
import streamlit as st
from charts.curves import precision_recall_curves, reliability, roc_curves, training_curve
from problems import ApiProblem
from resources.models import Versions
from resources.report import Manifest, Package, Scores
from words import class_words, percent, sentence, spaced

from components import comparisons
from components.messages import empty_state, problem_message
from components.model_report.measured import NOT_MEASURED
from components.plots import chart


def confidence(scores: Scores) -> None:
    """Whether the confidence can be believed, and how well each class stands apart."""
    st.subheader("Can its confidence be believed?", anchor=False)
    if not scores.reliability:
        st.info(NOT_MEASURED, icon=":material/info:")
        return
    if scores.expected_calibration_error is not None:
        st.write(
            f"On average the confidence is {percent(scores.expected_calibration_error)} away from "
            "how often it is right (expected calibration error)."
        )
    told = ", ".join(
        f"{percent(found.confidence)} sure, {percent(found.accuracy)} right"
        for found in scores.reliability
    )
    chart(reliability(scores.reliability), "reliability", f"Reliability: {told}.")
    st.caption("On the dashed line, confidence is what it says. A larger dot holds more files.")
    if scores.roc:
        st.subheader("Each class against all others", anchor=False)
        areas = ", ".join(f"{class_words(name)} {c.auc:.4f}" for name, c in scores.roc.items())
        chart(roc_curves(scores.roc), "roc", f"ROC curves; areas: {areas}.")
        st.caption("ROC, with the area under each curve; 1 is perfect, 0.5 is guessing.")
    if curves := scores.precision_recall:
        areas = ", ".join(
            f"{class_words(name)} {c.average_precision:.4f}" for name, c in curves.items()
        )
        chart(
            precision_recall_curves(curves),
            "precision-recall",
            f"Precision against recall; average precision: {areas}.",
        )
        st.caption("Precision against recall, with the average precision of each class.")


def training(manifest: Manifest) -> None:
    """How the training went, and by which recipe."""
    history = manifest.metrics.training_curves
    if history:
        for name, title in (("loss", "Loss"), ("accuracy", "Right")):
            st.subheader(f"{title} by epoch", anchor=False)
            last = history[-1].get(f"val_{name}")
            chart(
                training_curve(history, name, title),
                f"training-{name}",
                f"{title} over {len(history)} epochs"
                + (f"; at the end {last:.3f} on validation photographs." if last else "."),
            )
    elif manifest.recipe.get("mode") == "fast":
        st.info(
            "Fast retraining learns the head in one step, so there are no epochs to show. The "
            "network is that of the version it was made from.",
            icon=":material/bolt:",
        )
    else:
        st.info(NOT_MEASURED, icon=":material/info:")
    with st.expander("Recipe", icon=":material/list:"):
        st.table(
            {
                "Setting": [sentence(spaced(name)) for name in manifest.recipe],
                "Value": [str(value) for value in manifest.recipe.values()],
            }
        )


def against(package: Package, versions: Versions, key: str) -> None:
    """The version beside another one, the champion where it is not that itself."""
    others = [v.version for v in versions.models if v.version != package.version]
    if not others:
        empty_state(
            "compare_arrows", "There is only one version", "Make another on the page Retrain."
        )
        return
    first = others.index(versions.champion) if versions.champion in others else 0
    other = st.selectbox("Compare with", others, index=first, key=key)
    try:
        found = loaders.side_by_side(other, package.version)
    except ApiProblem as problem:
        problem_message(problem, refused="The two cannot be compared")
        return
    rows = comparisons.measured(found)
    if not rows:
        st.info(NOT_MEASURED, icon=":material/info:")
        return
    st.table(
        {
            "Figure": [name for name, _, _ in rows],
            f"{other}": [value for _, value, _ in rows],
            f"{package.version}": [value for _, _, value in rows],
        }
    )
    if found.same_data:
        st.caption("Both were measured on the same photographs.")
    else:
        st.warning(
            "The two were measured on different photographs, so a difference may come from those. "
            "The gate compares on the same ones; its verdict is on the page Retrain.",
            icon=":material/warning:",
        )
