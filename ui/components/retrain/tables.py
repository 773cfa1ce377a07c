"""Tables of versions, promotions and past runs."""

import streamlit as st
from api_models import Promotion, Run, Runs, Version, Versions
from formatting import (
    TEST_ACCURACY,
    capitalize,
    duration,
    format_time,
    mode_label,
    percent,
    promotion_label,
    starter_label,
)
from plain_text import as_cell
from timezone import local

from components.retrain.outcome import run_seconds

_STATUS = {
    "champion": "In use now",
    "challenger": "Never in use",
    "retired": "In use before",
    "pruned": "Files removed",
}


def versions_table(versions: Versions) -> None:
    """All versions with their accuracy, the newest first."""
    st.dataframe(
        [_version_row(version) for version in versions.models],
        hide_index=True,
        column_config={
            TEST_ACCURACY: st.column_config.TextColumn(
                help="Share of the version's own test photos, which it has not learned from, that "
                "it grades right, counting all saved copies, as in its report. Compare only "
                "versions with the same test photos."
            ),
            "Photos of one fruit": st.column_config.NumberColumn(
                help="What it learned from and was measured on, each once. Photos with boxes "
                "around their fruits are not counted here.",
                format="localized",
            ),
        },
    )
    st.caption(
        "Besides the current version and the one before it, the five newest versions are kept; "
        "of older ones only the record is left."
    )


def promotions_table(promotions: list[Promotion]) -> None:
    """Which version was in use when, newest first."""
    st.dataframe(
        [
            {
                "In use from": format_time(local(promotion.at)),
                "Version": promotion.version,
                "Replaced": promotion.replaced or "—",
                "How": promotion_label(promotion.kind),
            }
            for promotion in promotions
        ],
        hide_index=True,
    )


def runs_table(runs: Runs) -> None:
    """Past runs, the newest first."""
    st.dataframe([_run_row(run) for run in runs.runs], hide_index=True)
    if runs.total > len(runs.runs):
        st.caption(f"The newest {len(runs.runs)} of {runs.total:,} runs.")


def _version_row(version: Version) -> dict[str, object]:
    accuracy = version.metrics.accuracy
    return {
        "Version": version.version,
        "Name": as_cell(version.name),
        "State": _STATUS[version.status],
        "Made": format_time(local(version.created_at)),
        "How": mode_label(version.origin),
        TEST_ACCURACY: "—" if accuracy is None else percent(accuracy),
        "Classes": len(version.classes),
        "Photos of one fruit": version.data.photographs,
        "Made from": version.parent or "—",
        "Started by": capitalize(starter_label(version.started_by)),
    }


def _run_row(run: Run) -> dict[str, object]:
    seconds = run_seconds(run)
    return {
        "Requested": format_time(local(run.created_at)),
        "Mode": mode_label(run.mode),
        "Started by": capitalize(starter_label(run.started_by)),
        "Outcome": _outcome(run),
        "Took": "—" if seconds is None else duration(seconds),
        "Version": run.candidate or "—",
        "Details": as_cell(run.message),
    }


def _outcome(run: Run) -> str:
    if run.verdict is None:
        return capitalize(run.state)
    if run.verdict.promote or run.verdict.passed:
        return "Passed the checks"
    return "Did not pass the checks"
