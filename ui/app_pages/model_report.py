"""Model report: how good a version is, and how that is known."""

import loaders
import state
import streamlit as st
from components.messages import empty_state, problem_message
from components.model_report.classes import classes
from components.model_report.curves import against, confidence, training
from components.model_report.figures import figures
from components.model_report.mistakes import mistakes
from components.model_report.networks import networks
from problems import ApiProblem
from resources.models import Versions
from words import counted, sentence, spaced

_CLASSES, _CONFIDENCE, _TRAINING, _MISTAKES, _NETWORKS, _AGAINST = (
    "Classes",
    "Confidence",
    "Training",
    "Mistakes",
    "Networks",
    "Against another",
)
_STATUS = {"champion": "serves now", "challenger": "never served", "retired": "served before"}


def choose_version(found: Versions) -> str | None:
    """The version to report on: the one that serves, unless another is chosen."""
    told = {
        version.version: f"{version.version}, {_STATUS.get(version.status, 'files removed')}"
        for version in found.models
    }
    names = list(told)
    if st.session_state.get(state.REPORTED) not in told:
        st.session_state.pop(state.REPORTED, None)
    first = names.index(found.champion) if found.champion in told else 0
    return st.selectbox(
        "Version",
        names,
        index=first if names else None,
        format_func=lambda name: told.get(name, name),
        key=state.REPORTED,
        persist_state="session",
    )


def show(version: str, found: Versions) -> None:
    """The whole report on one version."""
    package, report = loaders.package(version), loaders.report_on(version)
    manifest = package.manifest
    st.caption(
        f"{sentence(spaced(manifest.architecture))} at {manifest.input_size} pixels, "
        f"{counted(manifest.parameters, 'parameter')}, "
        f"{counted(len(manifest.classes), 'class')}"
        + (f", made from `{package.parent}`." if package.parent else ".")
    )
    figures(report)
    part = st.segmented_control(
        "Part",
        [_CLASSES, _CONFIDENCE, _TRAINING, _MISTAKES, _NETWORKS, _AGAINST],
        default=_CLASSES,
        required=True,
        key=state.REPORT_PART,
        persist_state="session",
        label_visibility="collapsed",
    )
    if part == _CLASSES:
        classes(manifest)
    elif part == _CONFIDENCE:
        confidence(manifest.scores)
    elif part == _TRAINING:
        training(manifest)
    elif part == _MISTAKES:
        mistakes(manifest.scores)
    elif part == _NETWORKS:
        networks(report.comparison, manifest)
    else:
        against(package, found, state.COMPARED)


st.title("Model report", anchor=False)
try:
    loaders.insist_on_answer()
    versions = loaders.versions()
    chosen = choose_version(versions)
    if chosen is None:
        empty_state("fact_check", "No model yet", "Train one: `make train`.")
    else:
        show(chosen, versions)
except ApiProblem as problem:
    problem_message(problem, refused="The report cannot be shown")
