"""Triggers: each value against its limit, and the settings."""

from typing import Literal

import cached_api
import streamlit as st
from api_models import Trigger
from charts.bars import threshold_bar
from errors import ApiError
from formatting import capitalize, format_time, humanize
from plain_text import as_markdown
from timezone import local

from components.display import chart
from components.messages import run_action, show_action_error, show_fragment_error

Schedule = Literal["none", "weekly", "monthly"]
_TITLES = {
    "accuracy": "Accuracy in use",
    "drift": "Drift of the photos",
    "new-images": "New photos",
    "schedule": "Schedule",
}
_SCHEDULES: dict[Schedule, str] = {"none": "None", "weekly": "Weekly", "monthly": "Monthly"}


@st.fragment(run_every="15s")
def trigger_cards() -> None:
    """A card for each trigger."""
    try:
        triggers = cached_api.api().triggers()
    except ApiError as error:
        show_fragment_error(error, rejected="The triggers are not available")
        return
    st.write("Each of these starts a quick retraining by itself. They are checked once a minute.")
    for trigger in triggers:
        _card(trigger)


def _card(trigger: Trigger) -> None:
    title = _TITLES.get(trigger.name, capitalize(humanize(trigger.name)))
    with st.container(border=True, key=f"trigger-{trigger.name}"):
        switch = f"enabled-{trigger.name}"
        # Another browser may have switched it.
        st.session_state[switch] = trigger.enabled
        st.toggle(f"**{title}**", key=switch, on_change=_switch, args=(trigger.name, switch))
        st.write(as_markdown(trigger.description))
        _value(trigger, title)
        if trigger.would_fire:
            st.info(
                f"Starts at the next check. {as_markdown(trigger.reason)}", icon=":material/bolt:"
            )
        else:
            st.write(as_markdown(trigger.reason))
        st.caption(_last_started(trigger))
        with st.expander("Settings", icon=":material/tune:"):
            _settings(trigger, title)
        show_action_error(_area(trigger.name), "This setting was not accepted")


def _value(trigger: Trigger, title: str) -> None:
    if trigger.value is None or not trigger.threshold:
        return
    limit = f"above {trigger.threshold:g} {trigger.unit}"
    if trigger.name == "drift":
        times = "" if trigger.threshold == 1 else f"{trigger.threshold:g} times "
        limit = f"when drift passes {times}the limit"
    text = f"Now {trigger.value:.3g}; starts {limit}"
    st.markdown(f"**{text}**")
    chart(
        threshold_bar(trigger.value, trigger.threshold), f"bar-{trigger.name}", f"{title}: {text}."
    )


def _last_started(trigger: Trigger) -> str:
    if trigger.last_fired_at is None:
        return "It has not started a run yet."
    run = f", run {trigger.last_run_id}" if trigger.last_run_id else ""
    return f"Last started {format_time(local(trigger.last_fired_at))}{run}."


def _settings(trigger: Trigger, title: str) -> None:
    # The keys change with the API's values: until then, unfinished input is kept.
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
            "Minimum hours between two starts",
            min_value=1.0,
            value=trigger.cooldown_hours,
            key=keys["cooldown_hours"],
        )
        st.form_submit_button(f"Save “{title}”", on_click=_save, args=(trigger.name, keys))


def _save(name: str, keys: dict[str, str]) -> None:
    settings = {field: st.session_state[key] for field, key in keys.items()}
    run_action(_area(name), lambda: cached_api.api().change_trigger(name, **settings))


def _switch(name: str, key: str) -> None:
    enabled = bool(st.session_state[key])
    run_action(_area(name), lambda: cached_api.api().change_trigger(name, enabled=enabled))


def _area(name: str) -> str:
    return f"trigger-{name}"
