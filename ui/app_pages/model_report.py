"""Model report: how good a version is, and how that was measured."""

from functools import partial

import cached_api
import state
import streamlit as st
from api_models import Versions
from components.messages import empty_state, show_error
from components.model_report.accuracy import accuracy, waiting
from components.model_report.classes import classes, mistakes
from components.model_report.curves import compare_with, confidence, training
from components.model_report.finding import finding
from components.model_report.grade_along import grade_along
from components.model_report.line import draw_the_line
from components.model_report.name_and_note import name_and_note
from components.model_report.networks import networks
from components.model_report.wrong_photos import graded_wrong
from errors import ApiError
from formatting import capitalize, humanize, pluralize, version_labels

_CLASSES, _LINE, _FINDING, _CONFIDENCE, _TRAINING, _MISTAKES, _NETWORKS, _COMPARE = (
    "Classes",
    "Where to draw the line",
    "Finding fruits",
    "Confidence",
    "Training",
    "Mistakes",
    "Networks",
    "Compare",
)
_STATUS = {"champion": "in use now", "challenger": "never in use", "retired": "in use before"}


def choose_version(versions: Versions) -> str | None:
    """The version to report on, by default the one in use."""
    names_shown = version_labels(versions)
    labels = {
        one.version: f"{names_shown[one.version]}, {_STATUS.get(one.status, 'files removed')}"
        for one in versions.models
    }
    names = list(labels)
    if st.session_state.get(state.REPORTED) not in labels:
        st.session_state.pop(state.REPORTED, None)
    first = names.index(versions.champion) if versions.champion in labels else 0
    return st.selectbox(
        "Version",
        names,
        index=first if names else None,
        format_func=lambda name: labels.get(name, name),
        key=state.REPORTED,
        persist_state="session",
    )


def show_report(version: str, versions: Versions) -> None:
    details, report = cached_api.version_details(version), cached_api.version_report(version)
    manifest = details.manifest
    st.caption(
        f"{capitalize(humanize(manifest.architecture))} at {manifest.input_size} pixels, "
        f"{pluralize(manifest.parameters, 'parameter')}, "
        f"{pluralize(len(manifest.classes), 'class')}"
        + (f", made from `{details.parent}`." if details.parent else ".")
    )
    name_and_note(details)
    accuracy(report)
    waiting(report)
    if details.status != "pruned":
        offer_download(version)
    part = st.segmented_control(
        "Part",
        [_CLASSES, _LINE, _FINDING, _CONFIDENCE, _TRAINING, _MISTAKES, _NETWORKS, _COMPARE],
        default=_CLASSES,
        required=True,
        key=state.REPORT_PART,
        persist_state="session",
        label_visibility="collapsed",
    )
    if part == _CLASSES:
        classes(manifest)
    elif part == _LINE:
        draw_the_line(version, details.status)
    elif part == _FINDING:
        finding(manifest)
    elif part == _CONFIDENCE:
        confidence(manifest.metrics.test)
    elif part == _TRAINING:
        training(manifest)
    elif part == _MISTAKES:
        graded_wrong(version)
        mistakes(manifest.metrics.test)
    elif part == _NETWORKS:
        networks(report.comparison, manifest)
    else:
        compare_with(details, versions, state.COMPARED)
        if details.status in ("challenger", "retired"):
            grade_along(version)


def offer_download(version: str) -> None:
    st.download_button(
        "Download this version",
        # Only on demand: it is about 15 MB.
        partial(cached_api.models().export, version),
        f"ripeline-{version}.zip",
        "application/zip",
        on_click="ignore",
        icon=":material/download:",
        help="A zip that grades photos without this service: the network, its classes and limits, "
        "and a short Python script that uses them.",
    )


st.title("Model report", anchor=False)
try:
    cached_api.require_api()
    versions = cached_api.versions()
    chosen = choose_version(versions)
    if chosen is None:
        empty_state("fact_check", "No model yet", "Train one: `make train`.")
    else:
        show_report(chosen, versions)
except ApiError as error:
    show_error(error, rejected="The report cannot be shown")
