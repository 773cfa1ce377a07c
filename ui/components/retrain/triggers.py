"""Triggers: how each stands against its threshold, and setting it."""

import loaders
import streamlit as st
from charts.thresholds import threshold_bar
from clock import local
from problems import ApiProblem
from resources import triggers
from resources.triggers import Schedule, Trigger
from words import sentence, spaced, when

from components.attempts import attempt, show_problem
from components.messages import trouble
from components.plots import chart

_TITLES = {
    "accuracy": "Accuracy on feedback",
    "drift": "Drift of the photographs",
    "new-images": "New photographs",
    "schedule": "Schedule",
}
_SCHEDULES: dict[Schedule, str] = {"none": "None", "weekly": "Weekly", "monthly": "Monthly"}
_NEVER = "It has not fired yet."


@st.fragment(run_every="15s")
def trigger_cards() -> None:
    """Every trigger in a card of its own."""
    try:
        found = triggers.listed(loaders.api())
    except ApiProblem as problem:
        trouble(problem, refused="The triggers cannot be told")
        return
    st.write("Each of these starts a fast retraining by itself. Once a minute the worker looks.")
    for trigger in found:
        _card(trigger)


def _card(trigger: Trigger) -> None:
    title = _TITLES.get(trigger.name, sentence(spaced(trigger.name)))
    with st.container(border=True, key=f"trigger-{trigger.name}"):
        switch = f"enabled-{trigger.name}"
        # The API knows the truth: another browser may have set it.
        st.session_state[switch] = trigger.enabled
        st.toggle(f"**{title}**", key=switch, on_change=_switch, args=(trigger.name, switch))
        st.write(trigger.description)
        _value(trigger, title)
        if trigger.would_fire:
            st.info(f"It fires at the next look. {trigger.reason}", icon=":material/bolt:")
        else:
            st.write(trigger.reason)
        st.caption(_last(trigger))
        with st.expander("Settings", icon=":material/tune:"):
            _settings(trigger, title)
        show_problem(_area(trigger.name), "This setting was not taken")


def _value(trigger: Trigger, title: str) -> None:
    if trigger.value is None or not trigger.threshold:
        return
    told = f"Now {trigger.value:.3g}; fires above {trigger.threshold:g} {trigger.unit}"
    st.markdown(f"**{told}**")
    chart(
        threshold_bar(trigger.value, trigger.threshold), f"bar-{trigger.name}", f"{title}: {told}."
    )


def _last(trigger: Trigger) -> str:
    if trigger.last_fired_at is None:
        return _NEVER
    run = f", run {trigger.last_run_id}" if trigger.last_run_id else ""
    return f"Last fired {when(local(trigger.last_fired_at))}{run}."


def _settings(trigger: Trigger, title: str) -> None:
    # What is being typed stays, until the API has other values than those it was typed over.
    stamp = f"{trigger.name}-{trigger.threshold}-{trigger.cooldown_hours}-{trigger.schedule}"
    keys = {"cooldown_hours": f"cooldown-{stamp}"}
    with st.form(f"settings-{stamp}", border=False):
        if trigger.threshold is not None:
            keys["threshold"] = f"threshold-{stamp}"
            st.number_input(
                f"Threshold ({trigger.unit})",
                min_value=trigger.lowest,
                max_value=trigger.highest,
                value=trigger.threshold,
                key=keys["threshold"],
            )
        if trigger.schedule is not None:
            keys["schedule"] = f"schedule-{stamp}"
            st.segmented_control(
                "When",
                list(_SCHEDULES),
                format_func=lambda schedule: _SCHEDULES[schedule],
                default=trigger.schedule,
                required=True,
                key=keys["schedule"],
            )
        st.number_input(
            "Least hours between two firings",
            min_value=1.0,
            value=trigger.cooldown_hours,
            key=keys["cooldown_hours"],
        )
        st.form_submit_button(f"Save “{title}”", on_click=_save, args=(trigger.name, keys))


def _save(name: str, keys: dict[str, str]) -> None:
    wanted = {field: st.session_state[key] for field, key in keys.items()}
    attempt(_area(name), lambda: triggers.change(loaders.api(), name, **wanted))


def _switch(name: str, key: str) -> None:
    enabled = bool(st.session_state[key])
    attempt(_area(name), lambda: triggers.change(loaders.api(), name, enabled=enabled))


def _area(name: str) -> str:
    return f"trigger-{name}"
